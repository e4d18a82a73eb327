package statefile

import (
	"errors"
	"os"
	"testing"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

func secretIn(dir string) File {
	f := fileIn(dir)
	f.Secret = true
	return f
}

func TestASecretFileIsForItsOwnerAlone(t *testing.T) {
	f := secretIn(t.TempDir())
	for range 2 {
		mustDo(t, "Write", f.Write([]byte("secret")))
		if info, err := os.Lstat(f.Path); err != nil || info.Mode() != 0o600 {
			t.Errorf("the file has mode %v, %v, want 0600", info.Mode(), err)
		}
		wantContent(t, f, "secret")
		mustDo(t, "Chmod", os.Chmod(f.Path, 0o644)) // the second Write must not keep that
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o602} {
		mustDo(t, "Chmod", os.Chmod(f.Path, mode))
		if data, err := f.Read(); !errors.Is(err, ErrNotSecret) {
			t.Errorf("a file of mode %v is read: %q, %v", mode, data, err)
		}
	}
}

// Who can make files in the directory could put one of their own there.
func TestASecretFileOfAnotherUserIsNotRead(t *testing.T) {
	need.Root(t, "make a file of another user's")
	f := secretIn(t.TempDir())
	mustDo(t, "Write", f.Write([]byte("secret")))
	mustDo(t, "Chown", os.Chown(f.Path, 65534, 65534))
	if data, err := f.Read(); !errors.Is(err, ErrNotSecret) {
		t.Errorf("a file of another user's is read: %q, %v", data, err)
	}
}
