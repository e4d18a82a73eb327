package console

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

func TestAReaderWhoDoesNotReadIsWaitedForWithinReason(t *testing.T) {
	const patience = 5 * time.Second
	for _, tt := range []struct {
		name    string
		hurry   bool
		signal  time.Duration // 0: there is none
		reads   time.Duration // when the reader begins; 0: never
		gaveUp  time.Duration // 0: it did not
		arrived bool
	}{
		{name: "a person who leafs through a list", reads: time.Hour, arrived: true},
		{name: "a signal", signal: time.Hour, gaveUp: time.Hour + time.Second},
		{name: "a signal, and a reader who goes on", signal: time.Hour, reads: time.Hour + time.Second/2, arrived: true},
		{name: "in a hurry", hurry: true, gaveUp: patience},
		{name: "in a hurry, and a slow reader", hurry: true, reads: 4 * time.Second, arrived: true},
		{name: "in a hurry, a signal shortens it", hurry: true, signal: 3 * time.Second, gaveUp: 4 * time.Second},
		{name: "in a hurry, a signal does not prolong it", hurry: true, signal: patience - time.Second/2, gaveUp: patience},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				r, pipe := io.Pipe()
				defer r.Close() // ends the write that was abandoned
				w := NewWriter(ctx, pipe, patience)
				if tt.hurry {
					w.Hurry()
				}
				if tt.signal > 0 {
					time.AfterFunc(tt.signal, cancel)
				}
				got := make([]byte, 4)
				if tt.reads > 0 {
					time.AfterFunc(tt.reads, func() { io.ReadFull(r, got) })
				}
				start := time.Now()
				n, err := w.Write([]byte("text"))
				took := time.Since(start)
				synctest.Wait()
				if tt.arrived && (n != 4 || err != nil || string(got) != "text" || took != tt.reads) {
					t.Errorf("after %v it ended with %d bytes, %v; the reader has %q", took, n, err, got)
				}
				if tt.gaveUp == 0 {
					return
				}
				if n != 0 || !errors.Is(err, ErrStuck) || took != tt.gaveUp {
					t.Errorf("after %v it ended with %d bytes, %v; want it given up after %v", took, n, err, tt.gaveUp)
				}
				start = time.Now()
				if _, err := w.Write([]byte("more")); !errors.Is(err, ErrStuck) || time.Since(start) != 0 {
					t.Errorf("the next write took %v and ended with %v, want it lost at once", time.Since(start), err)
				}
			})
		})
	}
}
