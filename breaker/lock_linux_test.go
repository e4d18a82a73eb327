package breaker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/breaker/statefile"
	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

func mustLock(t *testing.T, path string) *Lock {
	t.Helper()
	lock, err := TakeLock(path)
	if err != nil {
		t.Fatalf("TakeLock: %v", err)
	}
	t.Cleanup(lock.Release)
	return lock
}

func wantHeld(t *testing.T, path string) *HeldError {
	t.Helper()
	lock, err := TakeLock(path)
	if lock != nil {
		lock.Release()
	}
	var held *HeldError
	if !errors.As(err, &held) {
		t.Fatalf("the lock is %v, %v, want a HeldError", lock, err)
	}
	return held
}

func TestALockExcludesASecondHolderAndNamesTheFirst(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	first := mustLock(t, path)
	if info, err := os.Stat(path); err != nil || info.Size() != 0 {
		t.Errorf("taking the lock writes into it: %v, %v", info, err)
	}
	if held := wantHeld(t, path); held.PID != 0 || held.Path != path || held.Directory {
		t.Errorf("before the holder signs it is %+v", held)
	}
	first.Sign(start)
	held := wantHeld(t, path)
	if held.PID != os.Getpid() || held.Since.Unix() != start.Unix() {
		t.Errorf("the holder is %+v, want process %d since %v", held, os.Getpid(), start)
	}
	if text := held.Error(); !strings.Contains(text, path) || !strings.Contains(text, fmt.Sprint("process ", os.Getpid())) {
		t.Errorf("the error is %q, want the path and the process", text)
	}
	first.Release()
	mustLock(t, path).Release()
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the lock file was deleted: %v", err)
	}
}

// Anybody may have written into the file. The holder is only named when it is a living process.
func TestTheHolderIsUnknownWhenTheSignatureMakesNoSense(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	for _, text := range []string{"", "x", "1", "-1 5", "1 x", "\x1b[2J 5", "999999999 5", "1 2 3", strings.Repeat("9", 5000)} {
		mustDo(t, "WriteFile", os.WriteFile(path, []byte(text), 0o600))
		if held := SignedBy(path); held.PID != 0 {
			t.Errorf("%.20q is read as process %d", text, held.PID)
		}
	}
}

func TestALockIsOnlyTakenOnARegularFile(t *testing.T) {
	for name, make := range map[string]func(path string) error{
		"symbolic link":           func(path string) error { return os.Symlink(filepath.Join(filepath.Dir(path), "victim"), path) },
		"symbolic link to itself": func(path string) error { return os.Symlink(path, path) },
		"FIFO":                    func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"directory":               func(path string) error { return os.Mkdir(path, 0o700) },
		"socket":                  bindSocket,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.lock")
			mustDo(t, name, make(path))
			lock, err := TakeLock(path)
			if lock != nil || !errors.Is(err, statefile.ErrNotRegular) || !strings.Contains(err.Error(), path) {
				t.Errorf("the lock is %v, %v, want an error that names the file and its kind", lock, err)
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), "victim")); err == nil {
				t.Error("the target of the link was created")
			}
		})
	}
}

// A cleaner that deletes the lock file between open and flock would leave us with a lock on a file
// that nobody else will ever open.
func TestALockOnAReplacedFileDoesNotCount(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	mustLock(t, path)
	mustDo(t, "Remove", os.Remove(path))
	second := mustLock(t, path)
	there, err := os.Stat(path)
	locked, errLocked := second.file.Stat()
	if err != nil || errLocked != nil || !os.SameFile(there, locked) {
		t.Errorf("what is locked is not what is at the path: %v, %v", err, errLocked)
	}
}

// Anybody who can open a lock file can hold the lock: flock(2) needs no more than the right to
// read.
func TestOthersCannotOpenTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	for _, earlier := range []string{"none", "of an earlier version"} {
		mustLock(t, path).Release()
		if info, err := os.Lstat(path); err != nil || info.Mode() != 0o600 {
			t.Errorf("with an earlier lock file %s the mode is %v, %v", earlier, info.Mode(), err)
		}
		mustDo(t, "Chmod", os.Chmod(path, 0o644))
	}
}

// An earlier version let everybody open the lock. Whoever holds it since then keeps it as long as
// the process lives, and must not be able to open it again.
func TestALockThatAStrangerHoldsIsClosedToOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	stranger, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o644)
	mustDo(t, "OpenFile", err)
	defer stranger.Close()
	mustDo(t, "Chmod", stranger.Chmod(0o644))
	mustDo(t, "Flock", unix.Flock(int(stranger.Fd()), unix.LOCK_SH))
	wantHeld(t, path)
	if info, err := stranger.Stat(); err != nil || info.Mode() != 0o600 {
		t.Errorf("the mode is %v, %v", info.Mode(), err)
	}
}

// The owner of the directory can put a link to a file of root's in the place of the lock.
func TestRootChangesNoFileThroughTheLock(t *testing.T) {
	need.Root(t, "be tricked")
	dir, victim := nobodysDir(t), filepath.Join(t.TempDir(), "victim")
	mustDo(t, "WriteFile", os.WriteFile(victim, []byte("precious"), 0o644))
	path := filepath.Join(dir, "x.lock")
	if err := os.Link(victim, path); err != nil {
		need.Refused(t, "no hard link to test with: %v", err)
	}
	linked := mustLock(t, path)
	linked.Sign(start)
	linked.Release()
	info, err := os.Lstat(victim)
	mustDo(t, "Lstat", err)
	if info.Mode() != 0o644 || info.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Errorf("the file behind the lock has mode %v and belongs to %d", info.Mode(), info.Sys().(*syscall.Stat_t).Uid)
	}

	if data, err := os.ReadFile(victim); err != nil || string(data) != "precious" {
		t.Errorf("signing the lock wrote into the file that it links to: %q, %v", data, err)
	}

	mustDo(t, "Remove", os.Remove(path))
	lock := mustLock(t, path)
	mustDo(t, "Remove", os.Remove(path))
	mustDo(t, "Link", os.Link(victim, path))
	lock.Sign(start)
	if data, err := os.ReadFile(victim); err != nil || string(data) != "precious" {
		t.Errorf("signing the lock wrote into another file: %q, %v", data, err)
	}
}

func TestALockInAMissingDirectoryIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "x.lock")
	if lock, err := TakeLock(path); lock != nil || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("the lock is %v, %v", lock, err)
	}
}

// Deliveries are what frees a full disk, so a lock file that cannot be made must not stop them.
func TestWithoutALockFileAndRoomForOneTheDirectoryIsLocked(t *testing.T) {
	dir := t.TempDir()
	mount(t, "tmpfs", dir, "tmpfs", 0, "nr_inodes=2,mode=0700")
	path, ballast := filepath.Join(dir, "x.lock"), filepath.Join(dir, "ballast")
	mustDo(t, "WriteFile", os.WriteFile(ballast, nil, 0o600))

	first := mustLock(t, path)
	first.Sign(start)
	if held := wantHeld(t, path); held.Path != dir || !held.Directory {
		t.Errorf("the second holder finds %+v, want the directory locked", held)
	}
	// A lock file that can be made again must not be a way around the holder.
	mustDo(t, "Remove", os.Remove(ballast))
	wantHeld(t, path)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a lock file was made while the directory was locked: %v", err)
	}
	first.Release()

	mustLock(t, path)
	if held := wantHeld(t, path); held.Path != path {
		t.Errorf("with room for a file the holder is %+v", held)
	}
}

// Anybody who can read the directory can lock it. That must not stop the runs that have a lock
// file.
func TestALockedDirectoryDoesNotMatterToALockFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	mustLock(t, path).Release()
	dir, err := os.Open(filepath.Dir(path))
	mustDo(t, "Open", err)
	defer dir.Close()
	mustDo(t, "Flock", unix.Flock(int(dir.Fd()), unix.LOCK_EX))
	mustLock(t, path)
}

func TestAReadOnlyDiskHoldsALock(t *testing.T) {
	for _, hasFile := range []bool{true, false} {
		t.Run(fmt.Sprintf("with a lock file %v", hasFile), func(t *testing.T) {
			need.Root(t, "mount")
			path := filepath.Join(t.TempDir(), "x.lock")
			if hasFile {
				mustLock(t, path).Release()
			}
			makeUnwritable(t, filepath.Dir(path))
			lock := mustLock(t, path)
			lock.Sign(start)
			wantHeld(t, path)
			lock.Release()
			mustLock(t, path)
		})
	}
}

func TestManyFirstRunsAtOnceGiveOneLock(t *testing.T) {
	for range 100 {
		path := filepath.Join(t.TempDir(), "x.lock")
		const runs = 8
		locks := make(chan *Lock, runs)
		for range runs {
			go func() {
				lock, err := TakeLock(path)
				if err != nil && !errors.As(err, new(*HeldError)) {
					t.Errorf("TakeLock: %v", err)
				}
				locks <- lock
			}()
		}
		var held []*Lock
		for range runs {
			if lock := <-locks; lock != nil {
				held = append(held, lock)
			}
		}
		if len(held) != 1 {
			t.Fatalf("%d of %d runs hold the lock", len(held), runs)
		}
		held[0].Release()
	}
}
