package main

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// A disk that is remounted read-only after an error is a common fault. A payload that could not be
// removed after its delivery must not be sent, and a state that cannot be saved must stop nothing.
func TestAReadOnlyDiskLosesAndRepeatsNothing(t *testing.T) {
	need.Root(t, "mount")
	for _, test := range []struct {
		name         string
		spool, state bool // read-only
		status       int  // of the listener's answers
		code         exit.Code
		requests     int
		message      string
	}{
		{"spool", true, false, http.StatusOK, exit.IO, 0, "read-only file system"},
		{"spool and state", true, true, http.StatusOK, exit.IO, 0, "read-only file system"},
		{"state", false, true, http.StatusOK, exit.OK, 7, ""},
		{"state, and the listener is down", false, true, http.StatusServiceUnavailable, exit.IO, 5, "cannot save breaker state"},
	} {
		for _, before := range []string{"no run before", "a run before"} { // which made the lock file
			t.Run(test.name+", "+before, func(t *testing.T) {
				w := newWorld(t)
				if err := os.Mkdir(w.state, 0o755); err != nil {
					t.Fatal(err)
				}
				if before == "a run before" {
					w.put("first.json", `"first"`)
					w.do("run").wantCode(t, exit.OK)
					w.received()
				}
				for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
					w.put(name+".json", `"`+name+`"`)
				}
				w.answer(test.status)
				for dir, closed := range map[string]bool{w.spool: test.spool, w.state: test.state} {
					if closed {
						mountReadOnly(t, dir)
					}
				}
				if test.spool {
					file := filepath.Join(t.TempDir(), "payload")
					if err := os.WriteFile(file, []byte(`{}`), 0o600); err != nil {
						t.Fatal(err)
					}
					put := w.do("put", file).wantCode(t, exit.IO)
					wantText(t, "standard error of put", put.stderr, "read-only file system", w.spool)
				}
				r := w.do("run --concurrency 1").wantCode(t, test.code)
				if n := len(w.received()); n != test.requests {
					t.Errorf("%d requests were sent, want %d: %s", n, test.requests, r.stderr)
				}
				wantText(t, "standard error", r.stderr, test.message)
			})
		}
	}
}

func mountReadOnly(t *testing.T, dir string) {
	t.Helper()
	for _, flags := range []uintptr{unix.MS_BIND, unix.MS_REMOUNT | unix.MS_BIND | unix.MS_RDONLY} {
		if err := unix.Mount(dir, dir, "", flags, ""); err != nil {
			need.Refused(t, "cannot mount: %v", err)
		}
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
}
