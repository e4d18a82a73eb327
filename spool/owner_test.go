package spool_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
	"github.com/bitville-apm/spoolfwd/spool"
)

// The owner of a directory can put a way to any file of this machine in the place of a file there.
func TestRootDoesNotOpenTheSpoolOfAnotherUser(t *testing.T) {
	need.Root(t, "be refused what others may do")
	dir := t.TempDir()
	must(t, os.Chown(dir, nobody, nobody))
	s, err := spool.Open(spool.Config{Dir: dir})
	var open *spool.OpenError
	if s != nil || !errors.As(err, &open) || !errors.Is(err, spool.ErrForeign) {
		t.Errorf("opening it gives %v, want an OpenError with ErrForeign", err)
	}
	wantText(t, "opening it", err, dir, "uid 65534")
}

// Where the system lets people link files that they cannot read (fs.protected_hardlinks=0), the
// link in a spool that everybody may write could be to a file of root's.
func TestRootDoesNotSendWhatAnyUserMayHaveLinked(t *testing.T) {
	need.Root(t, "be tricked")
	for _, mode := range []os.FileMode{0o700, 0o777 | os.ModeSticky, 0o770} {
		s, dir := newSpool(t, spool.Config{Dir: dirOfMode(t, mode)})
		write(t, dir, "secret", `{"token":1}`, 0)
		must(t, os.Link(filepath.Join(dir, "secret"), filepath.Join(dir, "x.json")))
		_, err := s.Read(spool.Entry{Name: "x.json"}, noon, nil)
		if mode.Perm() == 0o700 {
			must(t, err)
		} else {
			wantSkip(t, err, "has more than one name, and other users may write to the spool")
		}
	}
}

func dirOfMode(t *testing.T, mode os.FileMode) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.Chmod(dir, mode))
	return dir
}

func TestAnArrayFileOfTooManyItemsIsRefusedBeforeItFillsTheMemory(t *testing.T) {
	dir := t.TempDir()
	data := "[" + strings.Repeat("0,", 1<<17) + "0]"
	if err := os.WriteFile(filepath.Join(dir, "x.json"), []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := spool.Open(spool.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = s.Read(spool.Entry{Name: "x.json"}, time.Now(), nil)
	if err == nil || !strings.Contains(err.Error(), "holds more than the 131072 items") {
		t.Errorf("reading it says %v", err)
	}
}
