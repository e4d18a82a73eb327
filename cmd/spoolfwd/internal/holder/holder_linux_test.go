package holder

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestTheHolderOfALockIsFoundAndNobodyElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got := Of(path); got != nil {
		t.Errorf("of a file without a lock: %+v", got)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_SH); err != nil {
		t.Fatal(err)
	}
	got := Of(path)
	if len(got) != 1 || got[0].PID != os.Getpid() || got[0].Command == "" {
		t.Fatalf("the holders are %+v, want this process", got)
	}
	if age := time.Since(got[0].Started); age < 0 || age > 10*time.Minute {
		t.Errorf("this process has started %v ago", age)
	}
	if got := Of(filepath.Dir(path)); got != nil {
		t.Errorf("of the directory: %+v", got)
	}
	if got := Of(path + "-missing"); got != nil {
		t.Errorf("of a missing file: %+v", got)
	}
}
