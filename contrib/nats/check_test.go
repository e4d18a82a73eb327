package nats_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// The stream of the example is as `spoolfwd check` wants it, and the user of the hosts may ask for
// what check wants to know. Of another stream it says what is wrong.
func TestCheckJudgesWhatTheStreamPromises(t *testing.T) {
	t.Parallel()
	c := newCluster(t, clusterOptions{})
	w := newWorld(t, c, c.addresses())
	for _, tt := range []struct {
		name   string
		change func(*jetstream.StreamConfig)
		says   string // "": nothing is wrong
		exit   int
	}{
		{name: "the example", change: func(*jetstream.StreamConfig) {}},
		{name: "one replica", change: func(s *jetstream.StreamConfig) { s.Replicas = 1 }, says: "with 1 replica, the loss of one server"},
		{name: "in memory", change: func(s *jetstream.StreamConfig) { s.Storage, s.MaxBytes = jetstream.MemoryStorage, 1<<20 }, says: "the stream is in memory only"},
		{name: "the default window", change: func(s *jetstream.StreamConfig) { s.Duplicates = 2 * time.Minute }, says: "knows an item again for 2m"},
		{name: "a work queue", change: func(s *jetstream.StreamConfig) { s.Retention = jetstream.WorkQueuePolicy }, says: "the stream removes what was read"},
		{name: "without acknowledgements", change: func(s *jetstream.StreamConfig) { s.NoAck = true }, says: "the stream acknowledges nothing", exit: 69},
		{name: "another subject", change: func(s *jetstream.StreamConfig) { s.Subjects = []string{"other.>"} }, says: "no stream takes items.", exit: 69},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.until("the stream is made anew", func(ctx context.Context) error {
				if err := c.js.DeleteStream(ctx, "items"); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
					return err
				}
				config := exampleStream(t)
				tt.change(&config)
				_, err := c.js.CreateStream(ctx, config)
				return err
			})
			check := w.spoolfwd("check")
			out, _ := check.CombinedOutput()
			if code := check.ProcessState.ExitCode(); code != tt.exit || !strings.Contains(string(out), tt.says) {
				t.Errorf("exit code %d, want %d, and %q in\n%s", code, tt.exit, tt.says, out)
			}
			if wrong := strings.Contains(string(out), "\nwarn ") || strings.Contains(string(out), "\nfail "); wrong != (tt.says != "") {
				t.Errorf("something is wrong: %v, in\n%s", wrong, out)
			}
		})
	}
}
