package holder

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestTheHolderOfALockIsFoundAndNobodyElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got, known := Of(path); got != nil || !known {
		t.Errorf("of a file without a lock: %+v, %v", got, known)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_SH); err != nil {
		t.Fatal(err)
	}
	got, known := Of(path)
	if !known || len(got) != 1 || got[0].PID != os.Getpid() || got[0].Command == "" {
		t.Fatalf("the holders are %+v, want this process", got)
	}
	if got, _ := Of(filepath.Dir(path)); got != nil {
		t.Errorf("of the directory: %+v", got)
	}
	if got, _ := Of(path + "-missing"); got != nil {
		t.Errorf("of a missing file: %+v", got)
	}
}
