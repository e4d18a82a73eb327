package drain

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Root who flushes by hand leaves the index to the service, the first time and
// ever after.
func TestRootSavesTheIndexForTheOwnerOfTheDirectory(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	const service = 65534
	dir := t.TempDir()
	if err := os.Chown(dir, service, service); err != nil {
		t.Fatal(err)
	}
	x := &Index{path: filepath.Join(dir, "x.index")}
	for _, name := range []string{"a.json", "b.json"} {
		x.fail(name, "key", Attempts{Count: 1})
		if err := x.Save(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Lstat(x.path)
		if err != nil {
			t.Fatal(err)
		}
		if owner := info.Sys().(*syscall.Stat_t); owner.Uid != service || owner.Gid != service || info.Mode() != 0o644 {
			t.Errorf("after %s the index belongs to %d:%d, mode %v", name, owner.Uid, owner.Gid, info.Mode())
		}
	}
}
