package drain_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// tracedIn hands a world's directory down to the traced process.
const tracedIn = "DRAIN_TEST_TRACED"

// The index forgets what was delivered of a file once that is cut out of it. Were the index on the
// disk first, a power cut could bring the old file back to a run that knows nothing, which would
// send it again.
func TestARewriteIsOnTheDiskBeforeTheIndexForgets(t *testing.T) {
	if base := os.Getenv(tracedIn); base != "" {
		drainTraced(t, base)
		return
	}
	need.Program(t, "strace")
	w, _ := mixed(t)
	trace := filepath.Join(t.TempDir(), "trace")
	cmd := exec.Command("strace", "-f", "-y", "-o", trace, "-e", "trace=fsync,renameat", os.Args[0], "-test.run", "^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), tracedIn+"="+filepath.Dir(w.dir))
	if out, err := cmd.CombinedOutput(); strings.Contains(string(out), "ptrace") {
		need.Installed(t, "tracing is not allowed here: "+string(out))
	} else if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	equal(t, "left", w.read("a.json"), `["d1","d2","d3"]`)
	data, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, call := range regexp.MustCompile(`renameat\(.*"(?:.*/)?(a\.json)"|fsync\(\d+<.*/(spool)>|renameat\(.*"(?:.*/)?(central_listener\.index)"`).FindAllStringSubmatch(string(data), -1) {
		got = append(got, strings.Join(call[1:], ""))
	}
	if want := []string{"a.json", "spool", "central_listener.index"}; !slices.Equal(got, want) {
		t.Errorf("renamed and synced: %q, want %q\n%s", got, want, data)
	}
}

// drainTraced is a run that delivers what is not deferred.
func drainTraced(t *testing.T, base string) {
	s, err := spool.Open(spool.Config{Dir: filepath.Join(base, "spool"), HostID: "machine"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	index, err := drain.OpenIndex(filepath.Join(base, "state", "central_listener.index"))
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{answer: func(body string) transmit.Verdict {
		if strings.HasPrefix(body, `"d`) {
			return fails(500)
		}
		return ok()
	}}
	r, err := drain.Run(context.Background(), drain.Config{Spool: s, Index: index, Breaker: always{}, Transmitter: l, Now: time.Now})
	if err != nil || r.Failed != 3 {
		t.Errorf("%d failed: %v", r.Failed, err)
	}
}
