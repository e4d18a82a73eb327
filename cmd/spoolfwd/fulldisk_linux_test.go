package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// A spool that has filled its disk is emptied by deliveries and by nothing else. So neither a
// failure that cannot be saved nor a lock file that cannot be made may stop them, whatever stands
// in front.
func TestAFullDiskIsEmptiedPastPayloadsThatFail(t *testing.T) {
	need.Root(t, "mount a small disk")
	for disk, options := range map[string]string{"no blocks": "size=400k", "no inodes": "nr_inodes=90,size=4m"} {
		for _, status := range []int{http.StatusInternalServerError, http.StatusBadRequest} {
			for _, bad := range []int{1, 3} {
				for _, before := range []string{"no run before", "a failing run before"} {
					name := fmt.Sprintf("%s, %d payloads get a %d, %s", disk, bad, status, before)
					t.Run(name, func(t *testing.T) {
						w := newWorldOnADisk(t, options, status)
						if before == "a failing run before" {
							w.put("first.json", `"bad"`)
							w.do("run")
						}
						good := w.putUntilFull(bad)
						r := w.do("run")
						if left := w.goodLeft(); left != 0 {
							t.Errorf("%d of %d good payloads are left, exit code %d: %s", left, good, r.code, r.stderr)
						}
						if sent := len(w.received()); sent < good {
							t.Errorf("%d requests delivered %d payloads", sent, good)
						}
					})
				}
			}
		}
	}
}

func TestAListenerThatIsDownGetsFiveRequestsFromAFullDisk(t *testing.T) {
	need.Root(t, "mount a small disk")
	w := newWorldOnADisk(t, "nr_inodes=90,size=4m", http.StatusInternalServerError)
	w.putUntilFull(1000) // all of them fail
	r := w.do("run")
	if sent := len(w.received()); sent != 5 {
		t.Errorf("%d requests were sent, want 5", sent)
	}
	wantText(t, "standard error", r.stderr, "cannot save breaker state", "no space left on device")
}

// newWorldOnADisk has spool and state on a disk of their own, and a listener that answers "bad"
// with status.
func newWorldOnADisk(t *testing.T, options string, status int) *world {
	t.Helper()
	w := newWorld(t)
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, options); err != nil {
		t.Skipf("cannot mount a small disk: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(disk, unix.MNT_DETACH) })
	w.spool, w.state = filepath.Join(disk, "spool"), filepath.Join(disk, "state")
	for _, dir := range []string{w.spool, w.state} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	w.statusOf = func(body string) int {
		if body == `"bad"` {
			return status
		}
		return http.StatusOK
	}
	return w
}

// putUntilFull writes bad payloads and then good ones until the disk takes no more, and returns the
// number of the good ones.
func (w *world) putUntilFull(bad int) (good int) {
	w.t.Helper()
	for i := 0; ; i++ {
		name, content := fmt.Sprintf("a%03d.json", i), `"bad"`
		if i >= bad {
			name, content = fmt.Sprintf("good%03d.json", i), `"good"`
		}
		path := filepath.Join(w.spool, name)
		err := os.WriteFile(path, []byte(content), 0o600)
		if errors.Is(err, unix.ENOSPC) {
			os.Remove(path) // without blocks it is there and empty
			for i := 0; err == nil || i == 0; i++ {
				err = os.WriteFile(filepath.Join(filepath.Dir(w.spool), fmt.Sprint("ballast", i)), []byte("x"), 0o600)
			}
			return good
		}
		if err != nil {
			w.t.Fatal(err)
		}
		w.pass(time.Second)
		if err := os.Chtimes(path, w.time(), w.time()); err != nil {
			w.t.Fatal(err)
		}
		if i >= bad {
			good++
		}
	}
}

func (w *world) goodLeft() (left int) {
	for _, name := range w.left() {
		if strings.HasPrefix(name, "good") {
			left++
		}
	}
	return left
}
