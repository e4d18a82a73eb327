package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
	"github.com/bitville-apm/spoolfwd/spool"
)

// A spool that has filled its disk is emptied by deliveries and by nothing else. So neither a
// failure that cannot be saved nor a lock file that cannot be made may stop them, whatever stands
// in front.
func TestAFullDiskIsEmptiedPastPayloadsThatFail(t *testing.T) {
	need.Root(t, "mount a small disk")
	for disk, mount := range smallDisks() {
		for _, status := range []int{http.StatusInternalServerError, http.StatusBadRequest} {
			for _, bad := range []int{1, 8, 30} {
				for _, before := range []string{"no run before", "a failing run before"} {
					name := fmt.Sprintf("%s, %d payloads get a %d, %s", disk, bad, status, before)
					t.Run(name, func(t *testing.T) {
						w := newWorldOnADisk(t, mount, status)
						if before == "a failing run before" {
							w.put("first.json", `"bad"`)
							w.do("run")
						}
						good := w.putUntilFull(bad)
						if good < 20 {
							t.Fatalf("only %d good payloads fit on the disk", good)
						}
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

func TestAStateDirectoryThatTakesNoFilesStopsNoDeliveries(t *testing.T) {
	need.Root(t, "mount")
	for name, close := range map[string]func(t *testing.T, dir string){
		"read-only": mountReadOnly,
		"immutable": func(t *testing.T, dir string) {
			if err := need.SetImmutable(dir, true); err != nil {
				need.Refused(t, "no directory can be made immutable here: %v", err)
			}
			t.Cleanup(func() { need.SetImmutable(dir, false) })
		},
	} {
		for _, before := range []string{"no run before", "a failing run before"} {
			if name == "immutable" && before == "no run before" {
				continue // without a lock file that is a lack of permissions, and ends the run
			}
			t.Run(name+", "+before, func(t *testing.T) {
				w := newWorld(t)
				w.failBad(http.StatusInternalServerError)
				if err := os.Mkdir(w.state, 0o755); err != nil {
					t.Fatal(err)
				}
				if before == "a failing run before" {
					w.put("first.json", `"bad"`)
					w.do("run")
				}
				for i := range 3 {
					w.put(fmt.Sprintf("a%d.json", i), `"bad"`)
				}
				for i := range 10 {
					w.put(fmt.Sprintf("good%d.json", i), `"good"`)
				}
				close(t, w.state)
				for range 2 {
					r := w.do("run")
					if left := w.goodLeft(); left != 0 {
						t.Errorf("%d good payloads are left, exit code %d: %s", left, r.code, r.stderr)
					}
				}
			})
		}
	}
}

func TestAListenerThatIsDownGetsFiveRequestsFromAFullDisk(t *testing.T) {
	need.Root(t, "mount a small disk")
	w := newWorldOnADisk(t, tmpfs("nr_inodes=90,size=4m"), http.StatusInternalServerError)
	w.putUntilFull(1000) // all of them fail
	r := w.do("run")
	if sent := len(w.received()); sent != 5 {
		t.Errorf("%d requests were sent, want 5", sent)
	}
	wantText(t, "standard error", r.stderr, "cannot save breaker state", "no space left on device")
}

// A run then holds two directories: the state's, in place of a lock file, and the spool's.
func TestRunsExcludeEachOtherOnAFullDisk(t *testing.T) {
	need.Root(t, "mount a small disk")
	for disk, mount := range smallDisks() {
		if strings.HasSuffix(disk, "no blocks") {
			continue // a lock file is empty and needs none
		}
		t.Run(disk, func(t *testing.T) {
			w := newWorldOnADisk(t, mount, http.StatusInternalServerError)
			good := w.putUntilFull(0)
			lock, err := takeLock(filepath.Join(w.state, "central_listener.lock"))
			if err != nil || len(namesIn(t, w.state)) != 0 {
				t.Fatalf("the lock is taken: %v, with the files %q, want none", err, namesIn(t, w.state))
			}
			sp, err := spool.Open(spool.Config{Dir: w.spool})
			if err != nil || !sp.TryLock() {
				t.Fatalf("the spool cannot be locked besides: %v", err)
			}
			w.do("run").wantCode(t, exit.Busy)
			w.do("run", "--state-dir", t.TempDir()).wantCode(t, exit.Config)
			if sent := len(w.received()); sent != 0 {
				t.Errorf("%d requests were sent beside another run", sent)
			}
			lock.Release()
			w.do("run").wantCode(t, exit.Config)
			if err := sp.Close(); err != nil {
				t.Error(err)
			}
			w.do("run").wantCode(t, exit.OK)
			if sent := len(w.received()); sent != good {
				t.Errorf("%d requests were sent, want %d", sent, good)
			}
		})
	}
}

// smallDisks mount disks that are soon full, by what they run out of.
func smallDisks() map[string]func(t *testing.T, dir string) error {
	return map[string]func(t *testing.T, dir string) error{
		"tmpfs, no blocks": tmpfs("size=400k"),
		"tmpfs, no inodes": tmpfs("nr_inodes=90,size=4m"),
		"ext4, no blocks":  ext4("-N", "512"),
		"ext4, no inodes":  ext4("-N", "112"),
	}
}

func tmpfs(options string) func(t *testing.T, dir string) error {
	return func(t *testing.T, dir string) error { return unix.Mount("tmpfs", dir, "tmpfs", 0, options) }
}

func ext4(options ...string) func(t *testing.T, dir string) error {
	return func(t *testing.T, dir string) error {
		mkfs := need.Program(t, "mkfs.ext4", "e2fsprogs")
		image := filepath.Join(t.TempDir(), "image")
		if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, 1<<19)); err != nil {
			return err
		}
		if out, err := exec.Command(mkfs, append(options, "-q", "-m", "0", image)...).CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		out, err := exec.Command("mount", "-o", "loop", image, dir).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
}

// newWorldOnADisk has spool and state on a disk of their own, and a listener that answers "bad"
// with status.
func newWorldOnADisk(t *testing.T, mount func(t *testing.T, dir string) error, status int) *world {
	t.Helper()
	w := newWorld(t)
	disk := t.TempDir()
	if err := mount(t, disk); err != nil {
		need.Refused(t, "cannot mount a small disk: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(disk, unix.MNT_DETACH) })
	w.spool, w.state = filepath.Join(disk, "spool"), filepath.Join(disk, "state")
	for _, dir := range []string{w.spool, w.state} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	w.failBad(status)
	return w
}

// failBad lets the listener answer "bad" with status, and everything else with 200.
func (w *world) failBad(status int) {
	w.statusOf = func(body string) int {
		if body == `"bad"` {
			return status
		}
		return http.StatusOK
	}
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
