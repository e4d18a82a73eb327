package nats_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// The example as a whole: the servers, the stream, a run and the consumer, each with its own user.
func TestTheConsumerWritesEachItemIntoAFile(t *testing.T) {
	t.Parallel()
	c := newCluster(t, clusterOptions{})
	w := newWorld(t, c, c.addresses())
	w.fill(50)
	w.drain()

	program := filepath.Join(w.dir, "consumer")
	if out, err := exec.Command("go", "build", "-o", program, "./consumer").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dir := filepath.Join(w.dir, "files")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	files := func() []string {
		paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		return paths
	}
	// It is killed in between, and goes on from there.
	for _, enough := range []int{1, len(w.spooled)} {
		consumer := exec.CommandContext(t.Context(), program, c.url("consumer:change-me-2"), c.trusted.file, dir)
		consumer.Stderr = os.Stderr
		if err := consumer.Start(); err != nil {
			t.Fatal(err)
		}
		c.until("the consumer writes files", func(context.Context) error {
			if n := len(files()); n < enough {
				return fmt.Errorf("there are %d, want %d", n, enough)
			}
			return nil
		})
		_ = consumer.Process.Kill()
		_ = consumer.Wait()
	}
	stored := map[string]string{}
	for _, path := range files() {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		stored[strings.TrimSuffix(filepath.Base(path), ".json")] = string(text)
	}
	w.compare(stored)
	for key := range stored {
		if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(key) {
			t.Errorf("a file is named by the key %q", key)
		}
	}
}

// Debian's server is older than sync_interval. The rest of the example is the same with it.
func TestDebiansServersTakeItemsOnce(t *testing.T) {
	t.Parallel()
	c := newCluster(t, clusterOptions{
		program: need.Program(t, "nats-server"),
		change:  []string{"sync_interval: always", ""},
	})
	wire := newWire(t, c)
	w := newWorld(t, c, wire.addresses)
	w.runUntil(wire, 4, 20, func(run *os.Process) afterwards {
		_ = run.Kill()
		return pass
	})
	w.drain()
	w.compare(c.stored())
}
