// Package producers_test runs the producers of this directory with their interpreters and checks
// the promises of every producer: a name ending in .json is a complete payload file, at every
// moment, whatever happens to the process or the disk; and the application never notices a failure.
//
// It needs php, python3, dash, bash and strace, and root for the tests that mount a small file
// system.
package producers_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

func TestSpooledValueBecomesOneCompletePayloadFile(t *testing.T) {
	// The shell takes bytes as they are, the others encode a value.
	substituted := []byte(`{"s":"a\ufffd\ufffdb"}`)
	tests := []struct {
		name string
		want map[string][]byte // by producer; "" is any other
	}{
		{"small", map[string][]byte{"": []byte(`{"n":1}`)}},
		{"normal", map[string][]byte{"": normal()}},
		{"batch", map[string][]byte{"": []byte(`[{"n":1},{"n":2}]`)}},
		{"bytes", map[string][]byte{"": shellInput("bytes"), "PHP": substituted, "Python": substituted, "Go": substituted}},
		{"odd", map[string][]byte{"PHP": []byte(`{"f":0,"r":null}`)}},
	}
	each(t, func(t *testing.T, p producer) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				want, ok := tt.want[p.name]
				if !ok {
					want, ok = tt.want[""]
				}
				if !ok {
					return // this producer has no such value
				}
				dir := t.TempDir()
				if !p.put(t, dir, tt.name) {
					t.Fatal("the producer says that it could not spool")
				}
				got := p.payloads(t, dir)
				if len(got) != 1 || !bytes.Equal(got[0], want) {
					t.Fatalf("the spool holds %d payload files, %.100q; want one: %.100q", len(got), got, want)
				}
				nothingElse(t, dir)
			})
		}
	})
}

// A spoolfwd with a user of its own reads payload files through the group of the spool.
func TestTheGroupOfASpoolWithTheSetGroupIDBitMayReadWhateverTheUmask(t *testing.T) {
	each(t, func(t *testing.T, p producer) {
		for _, umask := range []string{"0077", "0000"} {
			dir := t.TempDir()
			if err := os.Chmod(dir, 0o750|os.ModeSetgid); err != nil {
				t.Fatal(err)
			}
			if !p.put(t, dir, "small", "sh", "-c", "umask "+umask+`; exec "$0" "$@"`) || len(p.payloads(t, dir)) != 1 {
				t.Errorf("with umask %s nothing is spooled", umask)
			}
		}
	})
}

func TestRefusedValueLeavesNothingBehind(t *testing.T) {
	each(t, func(t *testing.T, p producer) {
		for _, name := range p.refuses {
			t.Run(name, func(t *testing.T) {
				dir := t.TempDir()
				if p.put(t, dir, name) {
					t.Error("the producer says that it spooled the value")
				}
				isEmpty(t, dir)
			})
		}
	})
}

func TestManyProducersAtOnceNeverShareAName(t *testing.T) {
	const runs = 24
	each(t, func(t *testing.T, p producer) {
		dir := t.TempDir()
		var started []*exec.Cmd
		for range runs {
			cmd := p.cmd(t, dir, "small")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			started = append(started, cmd)
		}
		for _, cmd := range started {
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		}
		if got := p.payloads(t, dir); len(got) != runs {
			t.Errorf("%d values were spooled and %d payload files are there", runs, len(got))
		}
	})
}
