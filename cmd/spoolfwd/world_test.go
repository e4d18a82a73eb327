package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/settings"
	"github.com/bitville-apm/spoolfwd/spool"
)

// world is a spool, a state directory, a listener and a clock of one test's own.
type world struct {
	t        *testing.T
	spool    string
	state    string
	listener *httptest.Server
	env      Env
	program  string   // the built program, to run it as a process of its own; "" runs it in this one
	wrapper  []string // what runs that process

	mu     sync.Mutex
	now    time.Time
	status int         // what the listener answers
	header http.Header // of its answers
	text   string      // their bodies
	bodies []string    // what it has received
	heads  []http.Header
	pid    int // of the process

	onRequest func()                // called for each, when set
	statusOf  func(body string) int // instead of status, when set
}

// result is what one invocation of the program came to.
type result struct {
	code           exit.Code
	stdout, stderr string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{
		t:      t,
		spool:  filepath.Join(dir, "spool"),
		state:  filepath.Join(dir, "state"),
		now:    time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		status: http.StatusOK,
		header: http.Header{},
	}
	if err := os.Mkdir(w.spool, 0o755); err != nil {
		t.Fatal(err)
	}
	w.listener = httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.listener.Close)
	w.env = Env{
		Stdin:     strings.NewReader(""),
		Now:       w.time,
		Wait:      w.wait,
		MachineID: func() string { return "0123456789abcdef" },
	}
	return w
}

func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bodies = append(w.bodies, string(body))
	w.heads = append(w.heads, r.Header)
	if w.onRequest != nil {
		w.onRequest()
	}
	for k, v := range w.header {
		rw.Header()[k] = v
	}
	status := w.status
	if w.statusOf != nil {
		status = w.statusOf(string(body))
	}
	rw.WriteHeader(status)
	io.WriteString(rw, w.text)
}

func (w *world) answer(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status = status
}

// received returns and forgets what the listener got.
func (w *world) received() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	got := w.bodies
	w.bodies = nil
	return got
}

func (w *world) time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) wait(ctx context.Context, d time.Duration) error {
	w.pass(d)
	return context.Cause(ctx)
}

// run runs the program with just these arguments.
func (w *world) run(args ...string) result {
	w.t.Helper()
	return w.runContext(context.Background(), args...)
}

func (w *world) runContext(ctx context.Context, args ...string) result {
	w.t.Helper()
	if w.program != "" {
		return w.exec(args...)
	}
	var stdout, stderr bytes.Buffer
	env := w.env
	env.Args = append([]string{"spoolfwd"}, args...)
	if env.Stdout == nil {
		env.Stdout = &stdout
	}
	if env.Stderr == nil {
		env.Stderr = &stderr
	}
	code := run(ctx, env)
	return result{exit.Code(code), stdout.String(), stderr.String()}
}

// exec runs the program as a process of its own. w.pid is its process id.
func (w *world) exec(args ...string) result {
	w.t.Helper()
	var stdout, stderr bytes.Buffer
	words := slices.Concat(w.wrapper, []string{w.program}, args)
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = w.env.Environ
	cmd.Stdin, cmd.Stdout, cmd.Stderr = w.env.Stdin, &stdout, &stderr
	w.mu.Lock() // no request is served before the process id is known
	err := cmd.Start()
	if err == nil {
		w.pid = cmd.Process.Pid
	}
	w.mu.Unlock()
	if err != nil {
		w.t.Fatal(err)
	}
	_ = cmd.Wait() // ProcessState has it
	return result{exit.Code(cmd.ProcessState.ExitCode()), stdout.String(), stderr.String()}
}

// do runs a command on this world's spool, state and listener. Jitter is off, so that a retry
// timeout is what it says.
func (w *world) do(command string, more ...string) result {
	w.t.Helper()
	return w.doContext(context.Background(), command, more...)
}

func (w *world) doContext(ctx context.Context, command string, more ...string) result {
	w.t.Helper()
	args := strings.Fields(command)
	spec := commandAt(command)
	add := func(needed settings.Commands, flag, value string) {
		if spec.takes&needed != 0 {
			args = append(args, flag, value)
		}
	}
	add(settings.Spool, "--spool", w.spool)
	add(settings.Lock, "--state-dir", w.state)
	add(settings.Breaker, "--retry-jitter", "0")
	add(settings.Delivery|settings.Status, "--url", w.listener.URL+"/ingest")
	return w.runContext(ctx, append(args, more...)...)
}

// put writes a payload file, older the earlier it is written.
func (w *world) put(name, content string) {
	w.t.Helper()
	path := filepath.Join(w.spool, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.pass(time.Second)
	if err := os.Chtimes(path, w.time(), w.time()); err != nil {
		w.t.Fatal(err)
	}
}

// left returns the names in the spool.
func (w *world) left() []string { return leftIn(w.t, w.spool) }

// leftIn leaves out a rejected/ that holds nothing and is only there for runs to lock.
func leftIn(t *testing.T, dir string) []string {
	t.Helper()
	names := namesIn(t, dir)
	if len(namesIn(t, filepath.Join(dir, spool.RejectedDir))) == 0 {
		names = slices.DeleteFunc(names, func(name string) bool { return name == spool.RejectedDir })
	}
	return names
}

func namesIn(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// snapshot describes everything below the parent of spool and state, with modification times.
func (w *world) snapshot() string {
	w.t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(filepath.Dir(w.spool), func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil {
			b.WriteString(path + " " + info.Mode().String() + " " + info.ModTime().String() + "\n")
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return b.String()
}

func (r result) wantCode(t *testing.T, want exit.Code) result {
	t.Helper()
	if r.code != want {
		t.Errorf("exit code is %d, want %d\nstdout: %s\nstderr: %s", r.code, want, r.stdout, r.stderr)
	}
	return r
}

func (r result) wantSilence(t *testing.T) result {
	t.Helper()
	if r.stdout != "" || r.stderr != "" {
		t.Errorf("it should print nothing\nstdout: %s\nstderr: %s", r.stdout, r.stderr)
	}
	return r
}

func wantText(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%s does not say %q:\n%s", what, p, text)
		}
	}
}

func wantNoText(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if strings.Contains(text, p) {
			t.Errorf("%s says %q:\n%s", what, p, text)
		}
	}
}

// commandAt returns the command that words such as "breaker show" name.
func commandAt(words string) command {
	c := program()
	for _, word := range strings.Fields(words) {
		if sub, found := c.find(word); found {
			c = sub
		}
	}
	return c
}
