package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the scripts in testdata/script: the real binary, against the
// real fake listener, seen from outside. Besides testscript's own commands they
// have
//
//	listener [FLAGS]       start fakelistener; SPOOLFWD_URL names it
//	answers SCRIPT         give it another script
//	counts KEY N           its counts, as its control endpoint tells them
//	until KEY N            the same, waiting for it
//	spool N PREFIX [AGE]   put N object files PREFIX0000.json... into the spool
//	buffer NAME FROM TO    put an array file of items FROM to TO into the spool
//	files N [DIR]          expect N payload files in the spool, or in DIR
//	exits CODE COMMAND...  expect an exit code
//	exits CODE at D spoolfwd ARGS...   the same with the clock D ahead
//
// The last form calls run in this process, because only there the clock can be
// moved; state, spool and listener are those of the processes before it.
func TestScripts(t *testing.T) {
	bin := buildCommands(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("SPOOLFWD_SPOOL", filepath.Join(env.WorkDir, "spool"))
			env.Setenv("SPOOLFWD_STATE_DIR", filepath.Join(env.WorkDir, "state"))
			env.Setenv("SPOOLFWD_RETRY_JITTER", "0")
			env.Setenv("STATE", filepath.Join(env.WorkDir, "state", "central_listener.state"))
			env.Setenv("NO_PROXY", "*")
			return os.MkdirAll(filepath.Join(env.WorkDir, "spool"), 0o755)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"listener": scriptListener,
			"answers":  scriptAnswers,
			"counts":   scriptCounts,
			"until":    scriptUntil,
			"spool":    scriptSpool,
			"buffer":   scriptBuffer,
			"files":    scriptFiles,
			"exits":    scriptExits,
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
	})
}

// buildCommands builds the two binaries as a user would.
func buildCommands(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	build := exec.Command("go", "build", "-trimpath", "-o", bin+"/", "../spoolfwd", "../fakelistener")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

func scriptListener(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg, len(args) >= 0, "listener [FLAGS]")
	path, err := exec.LookPath(strings.Split(ts.Getenv("PATH"), string(os.PathListSeparator))[0] + "/fakelistener")
	ts.Check(err)
	cmd := exec.Command(path, append([]string{"--listen", "127.0.0.1:0"}, args...)...)
	cmd.Dir = ts.MkAbs(".")
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	cmd.Stderr = os.Stderr
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	ts.Check(err)
	ts.Setenv("SPOOLFWD_URL", strings.TrimSpace(line))
	ts.Setenv("LISTENER_PID", strconv.Itoa(cmd.Process.Pid))
}

// control asks the listener's control endpoint.
func control(ts *testscript.TestScript, method, path, body string) string {
	base := strings.TrimSuffix(ts.Getenv("SPOOLFWD_URL"), "/api/profiling")
	req, err := http.NewRequest(method, base+"/_control/"+path, strings.NewReader(body))
	ts.Check(err)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	ts.Check(err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	ts.Check(err)
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusNoContent {
		ts.Fatalf("%s %s: %s: %s", method, path, res.Status, data)
	}
	return string(data)
}

func scriptAnswers(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg, len(args) == 1, "answers SCRIPT")
	control(ts, http.MethodPut, "script", args[0])
}

func scriptCounts(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg, len(args) == 2, "counts KEY N")
	if got := count(ts, args[0]); got != args[1] {
		ts.Fatalf("the listener counts %v %s, not %s", got, args[0], args[1])
	}
}

// scriptUntil asks again and again; each time it asks is a pause by itself.
func scriptUntil(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg, len(args) == 2, "until KEY N")
	for deadline := time.Now().Add(time.Minute); count(ts, args[0]) != args[1]; {
		if time.Now().After(deadline) {
			ts.Fatalf("the listener never counts %s %s", args[1], args[0])
		}
	}
}

// count returns one of the listener's counts as text.
func count(ts *testscript.TestScript, key string) string {
	var stats map[string]any
	ts.Check(json.Unmarshal([]byte(control(ts, http.MethodGet, "stats", "")), &stats))
	got, ok := stats[key]
	if !ok {
		ts.Fatalf("the listener does not count %s", key)
	}
	return fmt.Sprint(got)
}

func scriptSpool(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg, len(args) == 2 || len(args) == 3, "spool N PREFIX [AGE]")
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	age := time.Hour
	if len(args) == 3 {
		age, err = time.ParseDuration(args[2])
		ts.Check(err)
	}
	oldest := time.Now().Add(-age)
	for i := range n {
		name := filepath.Join(ts.Getenv("SPOOLFWD_SPOOL"), fmt.Sprintf("%s%04d.json", args[1], i))
		ts.Check(os.WriteFile(name, fmt.Appendf(nil, `{"%s":%d}`, args[1], i), 0o600))
		then := oldest.Add(time.Duration(i) * time.Millisecond)
		ts.Check(os.Chtimes(name, then, then))
	}
}

func scriptBuffer(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg, len(args) == 3, "buffer NAME FROM TO")
	from, err := strconv.Atoi(args[1])
	ts.Check(err)
	to, err := strconv.Atoi(args[2])
	ts.Check(err)
	var items []string
	for i := from; i <= to; i++ {
		items = append(items, fmt.Sprintf(`{"item":%d}`, i))
	}
	name := filepath.Join(ts.Getenv("SPOOLFWD_SPOOL"), args[0])
	ts.Check(os.WriteFile(name, []byte("["+strings.Join(items, ",")+"]"), 0o600))
}

func scriptFiles(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg, len(args) == 1 || len(args) == 2, "files N [DIR]")
	dir := ts.Getenv("SPOOLFWD_SPOOL")
	if len(args) == 2 {
		dir = ts.MkAbs(args[1])
	}
	all, err := filepath.Glob(dir + "/*.json")
	ts.Check(err)
	var names []string
	for _, name := range all {
		if !strings.HasSuffix(name, ".reason.json") {
			names = append(names, filepath.Base(name))
		}
	}
	if strconv.Itoa(len(names)) != args[0] {
		ts.Fatalf("%s holds %d payload files, not %s: %q", dir, len(names), args[0], names)
	}
}

func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg, len(args) >= 2, "exits CODE COMMAND...")
	want := args[0]
	got := 0
	if args[1] == "at" {
		refuse(ts, neg, len(args) >= 4 && args[3] == "spoolfwd", "exits CODE at D spoolfwd ARGS...")
		got = runAhead(ts, args[2], args[3:])
	} else if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if strconv.Itoa(got) != want {
		ts.Fatalf("%s ended with %d, not %s", strings.Join(args[1:], " "), got, want)
	}
}

// runAhead runs the program with a clock that is ahead of the machine's.
func runAhead(ts *testscript.TestScript, by string, args []string) int {
	ahead, err := time.ParseDuration(by)
	ts.Check(err)
	var environ []string
	for _, name := range []string{"SPOOLFWD_SPOOL", "SPOOLFWD_STATE_DIR", "SPOOLFWD_RETRY_JITTER", "SPOOLFWD_URL", "NO_PROXY"} {
		environ = append(environ, name+"="+ts.Getenv(name))
	}
	return int(run(context.Background(), Env{
		Args:      args,
		Stdin:     strings.NewReader(""),
		Stdout:    ts.Stdout(),
		Stderr:    ts.Stderr(),
		Environ:   environ,
		Now:       func() time.Time { return time.Now().Add(ahead) },
		Wait:      func(context.Context, time.Duration) error { return nil },
		MachineID: machineID,
	}))
}

func refuse(ts *testscript.TestScript, neg, right bool, usage string) {
	if neg || !right {
		ts.Fatalf("usage: %s", usage)
	}
}
