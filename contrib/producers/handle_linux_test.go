package producers_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// Whoever may write the spool can replace the temporary by a link to any other file between two
// looks at its name. The producer's user, root perhaps, would then write that file.
func TestTheTemporaryIsOpenedForWritingOnceAndMadeByThat(t *testing.T) {
	strace := need.Program(t, "strace")
	each(t, func(t *testing.T, p producer) {
		dir := t.TempDir()
		log := filepath.Join(t.TempDir(), "log")
		if !p.put(t, dir, "normal", strace, "-f", "-qq", "-o", log, "-e", "trace=?open,openat,?chmod,?fchmodat,?chown,?fchownat,truncate") {
			t.Fatalf("the producer says that it could not spool\n%s", trace(t, log))
		}
		made := 0
		for line := range strings.Lines(string(trace(t, log))) {
			switch {
			case !strings.Contains(line, p.temps):
			case strings.Contains(line, "O_EXCL"):
				made++
			case !strings.Contains(line, "O_RDONLY"):
				t.Errorf("the temporary is changed by its name: %s", line)
			}
		}
		if made != 1 {
			t.Errorf("the temporary was made with O_EXCL %d times, want once\n%s", made, trace(t, log))
		}
	})
}

// What is refused before anything is made needs no test of a race.
func TestTheShellRefusesRootWhereSomebodyElseMayWrite(t *testing.T) {
	need.Root(t, "change the owner of a directory")
	spools := []struct {
		name  string
		uid   int
		mode  os.FileMode
		taken bool
	}{
		{"root's own", 0, 0o755, true},
		{"another user's", 65534, 0o700, false},
		{"writable for a group", 0, 0o775, false},
		{"writable for everybody", 0, 0o777, false},
		{"like /tmp", 0, 0o777 | os.ModeSticky, false},
	}
	each(t, func(t *testing.T, p producer) {
		if !p.shell() {
			return
		}
		for _, spool := range spools {
			t.Run(spool.name, func(t *testing.T) {
				dir := t.TempDir()
				if err := os.Chown(dir, spool.uid, 0); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(dir, spool.mode); err != nil {
					t.Fatal(err)
				}
				out, err := p.cmd(t, dir, "small").CombinedOutput()
				if taken := err == nil; taken != spool.taken {
					t.Errorf("the payload was taken: %v, want %v\n%s", taken, spool.taken, out)
				}
				told := regexp.MustCompile(`^spool_put: root does not write into [^\n]*; use spoolfwd put\n$`).Match(out)
				if told == spool.taken {
					t.Errorf("the producer prints %q", out)
				}
				if !spool.taken {
					isEmpty(t, dir)
				}
			})
		}
	})
}
