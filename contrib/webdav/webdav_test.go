// Package webdav_test runs the store of nginx.conf with Debian's nginx, and kills it and spoolfwd
// while payloads are on their way.
//
// It needs Debian's package nginx-light.
package webdav_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// Each item is one object named by its key, however often either side is killed.
func TestEveryItemIsOneObjectOverKills(t *testing.T) {
	need.Program(t, "nginx", "nginx-light")
	const kills = 40
	w := newWorld(t)
	store := w.startStore()
	items := map[string]bool{}
	killed := 0
	for round := 0; killed < kills && round < 4*kills; round++ {
		for i := range 20 {
			item := fmt.Sprintf(`{"round":%d,"item":%d}`, round, i)
			other := fmt.Sprintf(`{"round":%d,"other":%d}`, round, i)
			w.write(fmt.Sprintf("p%03d-%02d.json", round, i), "["+item+","+other+"]")
			items[item], items[other] = true, true
		}
		run := w.spoolfwd("--concurrency", "4")
		if err := run.Start(); err != nil {
			t.Fatal(err)
		}
		victim := run.Process
		if round%5 == 4 {
			victim = store.Process
		}
		// A whole run takes some tens of milliseconds, of which any may be the last.
		kill := time.AfterFunc(time.Duration(rand.N(60))*time.Millisecond, func() { _ = victim.Kill() })
		_ = run.Wait()
		if !kill.Stop() {
			killed++
		}
		if round%5 == 4 {
			_ = store.Process.Kill()
			_ = store.Wait()
			store = w.startStore()
		}
	}
	if killed < kills/2 {
		t.Fatalf("only %d of %d kills were in time", killed, kills)
	}
	var out []byte
	err := errors.New("not run")
	// The first may come before the store is ready.
	for end := time.Now().Add(time.Minute); err != nil && time.Now().Before(end); {
		out, err = w.spoolfwd().CombinedOutput()
	}
	if err != nil {
		t.Errorf("the last run after the kills: %v: %s", err, out)
	}
	if left := w.left(); len(left) > 0 {
		t.Errorf("%d payload files are left, such as %s", len(left), left[0])
	}

	objects := 0
	err = filepath.WalkDir(filepath.Join(w.dir, "store", "items"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		objects++
		if name := filepath.Base(path); filepath.Base(filepath.Dir(path)) != "web1" || len(name) != 32+len(".json") {
			t.Errorf("an object is called %s", path)
		}
		body, err := os.ReadFile(path)
		if !items[string(body)] {
			t.Errorf("%s holds %q, not an item, or one that is there twice", path, body)
		}
		delete(items, string(body))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for item := range items {
		t.Errorf("%s is missing", item)
	}
	t.Logf("%d objects after %d kills", objects, killed)
}

// world is a spool and a store.
type world struct {
	t       *testing.T
	dir     string
	address string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"spool", "store", "store/items", "store/tmp"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("go", "build", "-o", dir+"/", "../../cmd/spoolfwd").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // nginx takes the port
	return &world{t, dir, l.Addr().String()}
}

// startStore starts nginx with nginx.conf, as one process, so that a kill takes all of it. A run
// that comes before nginx is ready is refused, and a later one delivers.
func (w *world) startStore() *exec.Cmd {
	w.t.Helper()
	text, err := os.ReadFile("nginx.conf")
	if err != nil {
		w.t.Fatal(err)
	}
	config := string(text)
	for old, with := range map[string]string{
		"worker_processes auto;": "daemon off; master_process off;", "/run/nginx.pid": w.dir + "/nginx.pid",
		"listen 8080": "listen " + w.address, "root /srv/spoolfwd": "root " + w.dir + "/store", "/srv/spoolfwd/tmp": w.dir + "/store/tmp",
	} {
		if strings.Count(config, old) != 1 {
			w.t.Fatalf("nginx.conf holds %q %d times", old, strings.Count(config, old))
		}
		config = strings.Replace(config, old, with, 1)
	}
	path := filepath.Join(w.dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command("nginx", "-c", path, "-e", filepath.Join(w.dir, "error.log"))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if w.t.Failed() {
			log, _ := os.ReadFile(filepath.Join(w.dir, "error.log"))
			w.t.Logf("nginx said:\n%s%s", &said, log)
		}
	})
	return cmd
}

// spoolfwd is a run with the settings of spoolfwd.toml, on this spool and store. Its breaker never
// opens, since the store is away in every fifth round.
func (w *world) spoolfwd(flags ...string) *exec.Cmd {
	args := append([]string{"run", "--config", "spoolfwd.toml", "--url", "http://" + w.address + "/items/{host}/{key}.json",
		"--host-id", "web1", "--spool", filepath.Join(w.dir, "spool"), "--state-dir", filepath.Join(w.dir, "state"),
		"--failure-threshold", "1000000000"}, flags...)
	return exec.CommandContext(w.t.Context(), filepath.Join(w.dir, "spoolfwd"), args...)
}

func (w *world) write(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, "spool", name)
	if err := os.WriteFile(path+".tmp", []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) left() []string {
	w.t.Helper()
	names, err := filepath.Glob(filepath.Join(w.dir, "spool", "*.json"))
	if err != nil {
		w.t.Fatal(err)
	}
	return names
}
