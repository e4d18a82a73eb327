package breaker

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// mount needs root and a kernel that lets it; a container often does not.
func mount(t *testing.T, source, dir, fstype string, flags uintptr, data string) {
	t.Helper()
	if err := unix.Mount(source, dir, fstype, flags, data); err != nil {
		need.Refused(t, "cannot mount a file system to test on, as user %d: %v", os.Geteuid(), err)
	}
	if flags&unix.MS_REMOUNT == 0 {
		t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	}
}

// makeUnwritable lets nothing be created, renamed or removed in dir.
func makeUnwritable(t *testing.T, dir string) {
	t.Helper()
	if os.Geteuid() == 0 {
		mount(t, dir, dir, "", unix.MS_BIND, "")
		mount(t, "", dir, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "")
		return
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	mustDo(t, "Glob", err)
	for i, file := range files { // one without a second name is overwritten in place
		mustDo(t, "Link", os.Link(file, filepath.Join(t.TempDir(), strconv.Itoa(i))))
	}
	mustDo(t, "Chmod", os.Chmod(dir, 0o500))
	t.Cleanup(func() { os.Chmod(dir, 0o700) })
}

// as runs the rest of the test as another user, so that modes mean something when the tests run as
// root.
func as(t *testing.T, uid int) {
	t.Helper()
	need.Root(t, "become another user")
	// Changes every thread of the process, which is why no test here is parallel.
	mustDo(t, "Seteuid", syscall.Seteuid(uid))
	t.Cleanup(func() {
		if err := syscall.Seteuid(0); err != nil {
			panic(err)
		}
	})
}

const nobody = 65534

// nobodysDir is a directory that nobody owns and can reach.
func nobodysDir(t *testing.T) string {
	t.Helper()
	need.Root(t, "give files away")
	dir := t.TempDir()
	mustDo(t, "Chmod", os.Chmod(filepath.Dir(dir), 0o755))
	mustDo(t, "Chown", os.Chown(dir, nobody, nobody))
	return dir
}

func wantSaveError(t *testing.T, b *Breaker, err error, errno syscall.Errno) {
	t.Helper()
	if !errors.Is(err, errno) || !strings.Contains(err.Error(), b.StatePath()) || !strings.HasSuffix(err.Error(), errno.Error()) ||
		strings.Contains(err.Error(), "\n") {
		t.Errorf("the error is %v, want one sentence that names %s and is %q", err, b.StatePath(), errno.Error())
	}
	if got := b.SaveError(); got != err {
		t.Errorf("SaveError is %v, want %v", got, err)
	}
}

// fullDisk is a state directory on a disk without room. release makes room.
func fullDisk(t *testing.T, options string) (c Config, release func()) {
	t.Helper()
	dir := t.TempDir()
	mount(t, "tmpfs", dir, "tmpfs", 0, options+",mode=0700")
	c = Config{StateDir: filepath.Join(dir, "state"), FailureThreshold: 2}
	mustDo(t, "Mkdir", os.Mkdir(c.StateDir, 0o700))
	return c, func() {
		t.Helper()
		mustDo(t, "RemoveAll", os.RemoveAll(filepath.Join(dir, "ballast")))
	}
}

func fill(t *testing.T, c Config) {
	t.Helper()
	ballast := filepath.Join(filepath.Dir(c.StateDir), "ballast")
	mustDo(t, "Mkdir", os.Mkdir(ballast, 0o700))
	var err error
	for i := 0; err == nil; i++ {
		err = os.WriteFile(filepath.Join(ballast, strconv.Itoa(i)), make([]byte, 4096), 0o600)
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("the file system did not get full: %v", err)
	}
}

var fullDisks = map[string]string{"no blocks": "size=64k", "no inodes": "nr_inodes=20"}

func TestOnAFullDiskTheFileThatIsThereIsOverwritten(t *testing.T) {
	for name, options := range fullDisks {
		t.Run(name, func(t *testing.T) {
			c, _ := fullDisk(t, options)
			failTimes(t, open(t, c, start), 2, start)
			fill(t, c)
			later := start.Add(time.Minute)
			b := open(t, c, later)
			wantAvailable(t, b, later, true)
			wantState(t, open(t, c, later), HalfOpen)
			failTimes(t, b, 1, later)
			if got := open(t, c, later).Stats(later); got != b.Stats(later) || got.State != Open || got.FailureCount != 3 {
				t.Errorf("the file says %+v, the breaker %+v", got, b.Stats(later))
			}
			mustDo(t, "Reset", b.Reset(later)) // a shorter content
			wantState(t, open(t, c, later), Closed)
			left, err := os.ReadDir(c.StateDir)
			if err != nil || len(left) != 1 {
				t.Errorf("the saves left %v, %v", left, err)
			}
		})
	}
}

func TestOnAFullDiskWithoutAFileFailuresCountInMemoryUntilThereIsRoom(t *testing.T) {
	for name, options := range fullDisks {
		t.Run(name, func(t *testing.T) {
			c, release := fullDisk(t, options)
			fill(t, c)
			b := open(t, c, start)
			wantSaveError(t, b, b.RecordFailure(start, 0), unix.ENOSPC)
			wantAvailable(t, b, start, true)
			mustDo(t, "RecordSuccess", b.RecordSuccess(start)) // resets the count, and tries in vain
			wantSaveError(t, b, b.SaveError(), unix.ENOSPC)
			wantSaveError(t, b, b.RecordFailure(start, 0), unix.ENOSPC)
			wantSaveError(t, b, b.RecordFailure(start, 0), unix.ENOSPC)
			wantState(t, b, Open)
			wantAvailable(t, b, start, false)
			wantSaveError(t, b, b.Save(), unix.ENOSPC)
			left, err := os.ReadDir(c.StateDir)
			if err != nil || len(left) > 1 || len(left) == 1 && left[0].Name() != "central_listener.state" {
				t.Errorf("the failed saves left %v, %v", left, err)
			}

			release()
			mustDo(t, "RecordSuccess", b.RecordSuccess(start)) // late, and too late to close the breaker
			mustDo(t, "SaveError", b.SaveError())
			if got := open(t, c, start).Stats(start); got != b.Stats(start) || got.State != Open {
				t.Errorf("once there was room the file says %+v, the breaker %+v", got, b.Stats(start))
			}
			mustDo(t, "Save", b.Save())
		})
	}
}

func TestOnAReadOnlyFileSystemTheBreakerOpensInMemory(t *testing.T) {
	need.Root(t, "mount")
	c := Config{StateDir: t.TempDir(), FailureThreshold: 2}
	failTimes(t, open(t, c, start), 1, start)
	makeUnwritable(t, c.StateDir)
	b := open(t, c, start)
	wantAvailable(t, b, start, true)
	mustDo(t, "Save", b.Save()) // nothing is unsaved
	wantSaveError(t, b, b.RecordFailure(start, 0), unix.EROFS)
	wantState(t, b, Open)

	missing := open(t, Config{StateDir: filepath.Join(c.StateDir, "missing")}, start)
	wantSaveError(t, missing, missing.RecordFailure(start, 0), unix.EROFS)
}

func TestABadFileOnAReadOnlyFileSystemStaysAndDoesNoHarm(t *testing.T) {
	c := stateFile(t, "bad")
	makeUnwritable(t, c.StateDir)
	b := newBreaker(t, c)
	if text := anomalyOf(t, b.Open(start)).Error(); !strings.Contains(text, "cannot be set aside") {
		t.Errorf("the warning %q does not say that the file is still in place", text)
	}
	wantAvailable(t, b, start, true)
}

func TestAStateDirectoryOfAnotherUserIsAPermissionError(t *testing.T) {
	dir := t.TempDir()
	mustDo(t, "Chmod", os.Chmod(filepath.Dir(dir), 0o755))
	mustDo(t, "Chmod", os.Chmod(dir, 0o755))
	as(t, nobody)
	b := open(t, Config{StateDir: dir}, start)
	err := b.RecordFailure(start, 0)
	wantSaveError(t, b, err, unix.EACCES)
	if !errors.Is(err, fs.ErrPermission) {
		t.Errorf("%v is not fs.ErrPermission", err)
	}
	deep := open(t, Config{StateDir: filepath.Join(dir, "a", "b")}, start)
	wantSaveError(t, deep, deep.RecordFailure(start, 0), unix.EACCES)
}

// The file was renamed but its directory could not be synced, and the breaker is back at what was
// loaded. It must not count as saved all the same.
func TestASaveIsRepeatedWhenItsDirectoryCouldNotBeSynced(t *testing.T) {
	c := Config{StateDir: nobodysDir(t)}
	as(t, nobody)
	b := open(t, c, start)
	mustDo(t, "Chmod", os.Chmod(c.StateDir, 0o300)) // entries can be made, but the directory not opened
	wantSaveError(t, b, b.Trip(start, 0), unix.EACCES)
	wantSaveError(t, b, b.Reset(start), unix.EACCES)
	wantSaveError(t, b, b.Save(), unix.EACCES)
	mustDo(t, "Chmod", os.Chmod(c.StateDir, 0o700))
	mustDo(t, "Save", b.Save())
	mustDo(t, "SaveError", b.SaveError())
	wantState(t, open(t, c, start), Closed)
}

func TestAStateFileThatMayNotBeReadIsSetAside(t *testing.T) {
	dir := nobodysDir(t)
	mustDo(t, "WriteFile", os.WriteFile(filepath.Join(dir, "central_listener.state"), []byte(`{"state":"open"}`), 0o600))
	as(t, nobody)
	checkBroken(t, Config{StateDir: dir}, "permission denied")
}

// A process without descriptors says nothing about the file.
func TestATemporaryReadErrorLeavesTheStateFileInPlace(t *testing.T) {
	c := Config{StateDir: t.TempDir()}
	failTimes(t, open(t, c, start), 5, start)
	b := newBreaker(t, c)

	var limit unix.Rlimit
	mustDo(t, "Getrlimit", unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // nothing else may need a descriptor meanwhile
	mustDo(t, "Setrlimit", unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: limit.Max}))
	err := b.Open(start)
	available := b.Available(start)
	failure := b.RecordFailure(start, 0)
	mustDo(t, "Setrlimit", unix.Setrlimit(unix.RLIMIT_NOFILE, &limit))

	anomaly := anomalyOf(t, err)
	if !errors.Is(anomaly, unix.EMFILE) || anomaly.KeptAs != "" || anomaly.KeepError != nil || !available {
		t.Errorf("available %v with %+v, want too many open files and the file left", available, anomaly)
	}
	wantSaveError(t, b, failure, unix.EMFILE)
	wantState(t, open(t, c, start), Open)
}
