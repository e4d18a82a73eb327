package nats_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// What README.md says about the stream is what stream.json says.
func TestTheStreamIsWhatTheREADMESays(t *testing.T) {
	config := exampleStream(t)
	if config.Duplicates != 72*time.Hour || config.MaxAge != 7*24*time.Hour || config.Retention != jetstream.LimitsPolicy ||
		config.Discard != jetstream.DiscardNew || config.Replicas != 3 || config.Storage != jetstream.FileStorage {
		t.Errorf("stream.json is %+v", config)
	}
}

func TestTheLineOfTheREADMEMakesTheStream(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("nats"); err != nil {
		need.Installed(t, "nats is not installed (go install github.com/nats-io/natscli/nats@v0.5.0)")
	}
	c := newCluster(t, clusterOptions{})
	if err := c.js.DeleteStream(t.Context(), "items"); err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^    (nats .*)$`).FindStringSubmatch(string(readme))
	if line == nil {
		t.Fatal("README.md holds no line with the nats command")
	}
	args := strings.Fields(replaceEach(t, line[1], "nats1:4222", c.nodes[0].address, "/etc/nats/ca.crt", c.trusted.file))
	c.until("the stream is made", func(ctx context.Context) error {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir()) // without contexts of the person who tests
		return cmd.Run()
	})
	c.untilWhole()
	w := newWorld(t, c, c.addresses())
	w.fill(5)
	w.drain()
	w.compare(c.stored())
}

func TestSystemdHasNoWarningsAboutTheDropIn(t *testing.T) {
	dir := t.TempDir()
	unit := filepath.Join(dir, "spoolfwd@nats.service")
	if err := os.Mkdir(unit+".d", 0o755); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"../systemd/spoolfwd@.service": unit, "servers-only.conf": unit + ".d/servers-only.conf"} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		// The program is not installed here.
		if err := os.WriteFile(to, []byte(strings.ReplaceAll(string(text), "/usr/bin/spoolfwd", "/bin/true")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command(need.Program(t, "systemd-analyze"), "verify", "--man=no", unit).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	out, err = exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", unit).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "allow list with non-localhost entries") {
		t.Errorf("systemd-analyze does not read the drop-in: %v\n%s", err, out)
	}
}
