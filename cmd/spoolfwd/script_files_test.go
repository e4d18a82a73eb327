package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
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

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

func scriptListener(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg, len(args) >= 0, "listener [FLAGS]")
	cmd := exec.Command(binaryOf(ts, "fakelistener"), append([]string{"--listen", "127.0.0.1:0"}, args...)...)
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
	ts.Setenv("LISTENER", strings.TrimSuffix(strings.TrimSpace(line), "/api/profiling"))
	ts.Setenv("LISTENER_PID", strconv.Itoa(cmd.Process.Pid))
}

// control asks the listener's control endpoint.
func control(ts *testscript.TestScript, method, path, body string) string {
	base := strings.TrimSuffix(ts.Getenv("SPOOLFWD_URL"), "/api/profiling")
	req, err := http.NewRequest(method, base+"/_control/"+path, strings.NewReader(body))
	ts.Check(err)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
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

// binaryOf returns the path of one of the two programs: Setup has put their directory first.
func binaryOf(ts *testscript.TestScript, name string) string {
	return filepath.Join(filepath.SplitList(ts.Getenv("PATH"))[0], name)
}

func scriptImmutable(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg, len(args) == 2 && (args[0] == "on" || args[0] == "off"), "immutable on|off FILE")
	path := ts.MkAbs(args[1])
	ts.Check(need.SetImmutable(path, args[0] == "on"))
	ts.Defer(func() { _ = need.SetImmutable(path, false) }) // for the removal of the directory
}

// canBeImmutable reports whether files here can be made undeletable, and says why not.
func canBeImmutable(t *testing.T) bool {
	path := filepath.Join(t.TempDir(), "file")
	err := os.WriteFile(path, nil, 0o600)
	if err == nil {
		err = need.SetImmutable(path, true)
	}
	if err != nil {
		t.Logf("no file can be made undeletable here: %v", err)
		return false
	}
	if err := need.SetImmutable(path, false); err != nil {
		t.Error(err)
	}
	return true
}
