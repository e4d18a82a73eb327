package release_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// previous is the commit of the release before this one, to which people may have to return. The
// commit that makes a release sets it to that release.
const previous = "588e11b845ea82c65e4473e123fdf9032193bf38"

// A host upgrades between two runs, and goes back when something is wrong with the new version. The
// other version then finds a state, an index, and names in spool and rejected/ that it has not
// written. Both programs are real: one is built from this tree, the other from the history.
func TestTheOtherVersionGoesOnWhereThisOneStopped(t *testing.T) {
	bin := t.TempDir()
	compile(t, "../..", bin, "./cmd/...")
	compile(t, checkout(t, previous), bin+"/before/", "./cmd/spoolfwd")
	now, before := filepath.Join(bin, "spoolfwd"), filepath.Join(bin, "before", "spoolfwd")
	for _, c := range []struct{ name, first, then string }{{"upgrade", before, now}, {"downgrade", now, before}} {
		t.Run(c.name, func(t *testing.T) {
			t.Run("sends what is left under the old keys", func(t *testing.T) {
				h := newHost(t, bin)
				h.listen(t, "200", `"id":2=500`, `"id":3=400`, `"id":5=500`, `"id":7=400`)
				h.spool(t, "a.json", `{"id":1}`)
				h.spool(t, "b.json", `{"id":2}`)
				h.spool(t, "c.json", `{"id":3}`)
				h.spool(t, "d.json", `[{"id":4},{"id":5},{"id":6},{"id":7}]`)
				h.run(t, c.first, 65, "run")
				was, is := h.status(t, c.first), h.status(t, c.then)
				if is != was || is.Spool.Deferred == 0 || is.Rejected.Files != 2 {
					t.Errorf("the status was %+v and is %+v", was, is)
				}
				h.listen(t, "200")
				h.run(t, c.then, 0, "rejected", "retry", "--all")
				h.run(t, c.then, 0, "run")
				h.wantKeys(t, map[string]int{`{"id":1}`: 1, `{"id":2}`: 2, `{"id":3}`: 2, `{"id":4}`: 1, `{"id":5}`: 2, `{"id":6}`: 1, `{"id":7}`: 2})
			})
			t.Run("leaves an open breaker open", func(t *testing.T) {
				h := newHost(t, bin)
				h.listen(t, "503:retry-after=600")
				h.spool(t, "a.json", `{"id":1}`)
				h.run(t, c.first, 69, "run")
				was, is := h.status(t, c.first).Breaker, h.status(t, c.then).Breaker
				if c.first == now { // the version before takes a later opened_at for a clock that went back
					if left := is.NotBefore - is.OpenedAt; left < 59 || left > 61 {
						t.Errorf("the version before holds the breaker for %.1f s, want one retry timeout", left)
					}
					is.OpenedAt, is.NotBefore = was.OpenedAt, was.NotBefore
				}
				if is != was || is.EffectiveState != "open" {
					t.Errorf("the breaker was %+v and is %+v", was, is)
				}
				h.run(t, c.then, 69, "run")
				h.wantKeys(t, map[string]int{`{"id":1}`: 1})
				h.listen(t, "200")
				h.run(t, c.then, 0, "flush", "--force")
				if got := h.status(t, c.first).Breaker; got.State != "closed" || got.FailureCount != 0 {
					t.Errorf("after a success the breaker is %+v", got)
				}
			})
			t.Run("keeps what was refused and could not be moved", func(t *testing.T) {
				h := newHost(t, bin)
				obstacle := filepath.Join(h.dir, "spool", "rejected")
				write(t, obstacle, "")
				h.listen(t, "200", `"id":1=400`)
				h.spool(t, "a.json", `{"id":1}`)
				h.spool(t, "b.json", `{"id":2}`)
				h.run(t, c.first, whatever, "run")
				if err := os.Remove(obstacle); err != nil {
					t.Fatal(err)
				}
				h.run(t, c.then, 65, "run")
				if got := h.status(t, c.then); got.Rejected.Files != 1 || got.Spool.Files != 0 {
					t.Errorf("the status is %+v, want 1 rejected", got)
				}
				// The version before may send it again, because it does not remember the refusal.
				h.wantKeys(t, map[string]int{`{"id":1}`: whatever, `{"id":2}`: 1})
			})
		})
	}
}

// checkout returns a directory with the files of a commit.
func checkout(t *testing.T, commit string) string {
	t.Helper()
	git := need.Program(t, "git")
	dir := filepath.Join(t.TempDir(), "source")
	if err := exec.Command(git, "cat-file", "-e", commit+"^{commit}").Run(); err != nil {
		shallow, err := exec.Command(git, "rev-parse", "--is-shallow-repository").Output()
		if err != nil || strings.TrimSpace(string(shallow)) == "true" {
			t.Skipf("the history of this checkout does not reach back to %s: git fetch --unshallow", commit)
		}
		t.Fatalf("there is no commit %s", commit)
	}
	for _, args := range [][]string{
		{"clone", "-q", "--shared", "--no-checkout", "../..", dir},
		{"-C", dir, "checkout", "-q", "--detach", commit},
	} {
		if out, err := exec.Command(git, args...).CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	return dir
}

func compile(t *testing.T, source, out, packages string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", out, packages)
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", source, err, text)
	}
}

// whatever is any number or exit code.
const whatever = -1

// host is a machine on which versions take turns.
type host struct {
	dir, bin, url string
}

func newHost(t *testing.T, bin string) *host {
	t.Helper()
	h := &host{dir: t.TempDir(), bin: bin}
	for _, dir := range []string{"spool", "seen", "state"} {
		if err := os.Mkdir(filepath.Join(h.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	// The version before knows a host without a machine id by its name, which an upgrade keeps.
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(h.dir, "state", "host-id"), name+"\n")
	return h
}

// listen starts another listener, which adds to what earlier ones have recorded.
func (h *host) listen(t *testing.T, script string, matches ...string) {
	t.Helper()
	args := []string{"--listen", "127.0.0.1:0", "--record", filepath.Join(h.dir, "seen"), "--script", script}
	for _, m := range matches {
		args = append(args, "--match", m)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(h.bin, "fakelistener"), args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line := make([]byte, 200)
	n, err := out.Read(line) // one line, written at once
	if err != nil {
		t.Fatal(err)
	}
	h.url = strings.TrimSpace(string(line[:n]))
}

func (h *host) spool(t *testing.T, name, payload string) {
	t.Helper()
	write(t, filepath.Join(h.dir, "spool", name), payload)
}

// run wants an exit code.
func (h *host) run(t *testing.T, program string, code int, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "SPOOLFWD_URL="+h.url, "SPOOLFWD_SPOOL="+filepath.Join(h.dir, "spool"),
		"SPOOLFWD_STATE_DIR="+filepath.Join(h.dir, "state"), "NO_PROXY=*")
	out, err := cmd.Output()
	var exit *exec.ExitError
	got := 0
	if errors.As(err, &exit) {
		got = exit.ExitCode()
		err = nil
	}
	if err != nil || code != whatever && got != code {
		t.Fatalf("%q ended with %d, want %d: %v\n%s%s", cmd.Args, got, code, err, out, exit.Stderr)
	}
	return out
}

type status struct {
	Breaker struct {
		State          string
		EffectiveState string  `json:"effective_state"`
		FailureCount   int     `json:"failure_count"`
		OpenedAt       float64 `json:"opened_at"`
		NotBefore      float64 `json:"not_before"`
	}
	Spool    struct{ Files, Deferred int }
	Rejected struct{ Files int }
}

func (h *host) status(t *testing.T, program string) status {
	t.Helper()
	var s status
	if err := json.Unmarshal(h.run(t, program, whatever, "status", "--json"), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// wantKeys wants each body as often as told, and always under the same key, which no other has.
func (h *host) wantKeys(t *testing.T, want map[string]int) {
	t.Helper()
	keys := map[string][]string{}
	for n := 1; ; n++ {
		base := filepath.Join(h.dir, "seen", strconv.Itoa(1_000_000 + n)[1:])
		text, err := os.ReadFile(base + ".json")
		if errors.Is(err, os.ErrNotExist) {
			break
		}
		var r struct{ Key string }
		if err := errors.Join(err, json.Unmarshal(text, &r)); err != nil {
			t.Fatal(err)
		}
		body := string(read(t, base+".body"))
		keys[body] = append(keys[body], r.Key)
	}
	of := map[string]string{}
	for body, all := range keys {
		if want[body] != whatever && len(all) != want[body] || len(slices.Compact(all)) != 1 || all[0] == "" || of[all[0]] != "" {
			t.Errorf("%s was sent under the keys %q, want one key of its own, %d times", body, all, want[body])
		}
		of[all[0]] = body
	}
	if len(keys) != len(want) {
		t.Errorf("%d different items were sent, want %d", len(keys), len(want))
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
