package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

func TestPutSpoolsStandardInputAndFiles(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	for path, text := range map[string]string{one: `{"one":1}`, two: `{"two":2}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.env.Stdin = strings.NewReader(`{"in":0}`)
	r := w.run("put", "--spool", w.spool).wantCode(t, exit.OK)
	w.env.Stdin = strings.NewReader(`{"in":1}`)
	more := w.run("put", "--spool", w.spool, one, "-", two).wantCode(t, exit.OK)
	names := strings.Fields(r.stdout + more.stdout)
	if len(names) != 4 || len(w.left()) != 4 {
		t.Fatalf("names printed: %q, in the spool: %q", names, w.left())
	}
	for i, want := range []string{`{"in":0}`, `{"one":1}`, `{"in":1}`, `{"two":2}`} {
		got, err := os.ReadFile(filepath.Join(w.spool, names[i]))
		if err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v, want %q", names[i], got, err, want)
		}
	}
}

func TestPutAsJSON(t *testing.T) {
	w := newWorld(t)
	w.env.Stdin = strings.NewReader(`1`)
	r := w.run("put", "--json", "--spool", w.spool).wantCode(t, exit.OK)
	var got struct{ Spooled []spooled }
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil || len(got.Spooled) != 1 || got.Spooled[0].Source != "-" || got.Spooled[0].Name != w.left()[0] {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestPutRefusesAPayloadThatARunWouldReject(t *testing.T) {
	w := newWorld(t)
	for _, text := range []string{"", "not json", `{"half":`, strings.Repeat(" ", 100)} {
		w.env.Stdin = strings.NewReader(text)
		r := w.run("put", "--spool", w.spool, "--max-file-size", "50").wantCode(t, exit.Rejected)
		wantText(t, "standard error", r.stderr, "standard input: not a payload")
	}
	if left := namesIn(t, w.spool); len(left) != 0 {
		t.Errorf("debris in the spool: %q", left)
	}
	w.env.Stdin = strings.NewReader("not json")
	w.run("put", "--spool", w.spool, "--raw").wantCode(t, exit.OK)
}

func TestAFullSpoolHasAnExitCodeOfItsOwn(t *testing.T) {
	w := newWorld(t)
	w.put("a.json", `{"a":1}`)
	for _, limit := range [][]string{{"--max-spool-files", "1"}, {"--max-spool-bytes", "8"}} {
		w.env.Stdin = strings.NewReader(`{"b":2}`)
		r := w.run(append([]string{"put", "--spool", w.spool}, limit...)...).wantCode(t, exit.SpoolFull)
		wantText(t, "standard error", r.stderr, "the spool is full", limit[0])
	}
	if n := len(w.left()); n != 1 {
		t.Errorf("the spool holds %d files, want 1", n)
	}
	if code := exit.Of(putError("-", syscall.ENOSPC)); code != exit.SpoolFull {
		t.Errorf("a full disk has code %d, want %d", code, exit.SpoolFull)
	}
}

func TestPutGoesOnAfterAFileItCannotTake(t *testing.T) {
	w := newWorld(t)
	good := filepath.Join(t.TempDir(), "good")
	if err := os.WriteFile(good, []byte(`{}`), 0o600); err != nil {
		t.Fatal(err)
	}
	r := w.run("put", "--spool", w.spool, filepath.Join(w.state, "none"), w.spool, good).wantCode(t, exit.Usage)
	wantText(t, "standard error", r.stderr, "no such file", "is a directory")
	if n := len(w.left()); n != 1 {
		t.Errorf("%d files were spooled, want the good one", n)
	}
}

// A read from a terminal or a pipe may never end, and neither may the opening of a FIFO. A signal
// must end them.
func TestASignalEndsAPutThatWaitsForInput(t *testing.T) {
	fifo := newFIFO(t)
	for _, tt := range []struct {
		name  string
		input func(t *testing.T, w *world) (operand string)
	}{
		{"a pipe that says nothing", func(t *testing.T, w *world) string {
			w.env.Stdin, _ = newPipe(t)
			return "-"
		}},
		{"a FIFO that nobody writes to", func(t *testing.T, _ *world) string { return fifo }},
		{"a FIFO whose writer says nothing", func(t *testing.T, _ *world) string {
			writer, err := os.OpenFile(fifo, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { writer.Close() })
			return fifo
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			operand := tt.input(t, w)
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(50*time.Millisecond, func() { cancel(exit.Signalled{Signal: syscall.SIGTERM}) })
			w.runContext(ctx, "put", "--spool", w.spool, operand).wantCode(t, exit.Terminated)
			if len(w.left()) != 0 {
				t.Error("half a payload was spooled")
			}
		})
	}
}

// Shells name the pipe of <(command) /dev/fd/63, for example.
func TestPutTakesWhatIsWrittenToAPipeThatItOpens(t *testing.T) {
	w := newWorld(t)
	r, substitution := newPipe(t)
	fifo := newFIFO(t)
	go func() {
		io.WriteString(substitution, `{"n":1}`)
		substitution.Close()
		if err := os.WriteFile(fifo, []byte(`{"n":2}`), 0); err != nil { // waits for its reader
			t.Error(err)
		}
	}()
	out := w.run("put", "--spool", w.spool, fmt.Sprint("/dev/fd/", r.Fd()), fifo).wantCode(t, exit.OK)
	for i, name := range strings.Fields(out.stdout) {
		got, err := os.ReadFile(filepath.Join(w.spool, name))
		if want := fmt.Sprintf(`{"n":%d}`, i+1); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v, want %q", name, got, err, want)
		}
	}
	if len(w.left()) != 2 {
		t.Errorf("the spool holds %q, want two payload files", w.left())
	}
}

func newPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		w.Close()
	})
	return r, w
}

func newFIFO(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	// Whoever has been left waiting for a writer sees one come and go.
	t.Cleanup(func() {
		if f, err := os.OpenFile(path, os.O_RDWR, 0); err == nil {
			f.Close()
		}
	})
	return path
}

func TestPutSaysHowToEndInputFromATerminal(t *testing.T) {
	w := newWorld(t)
	w.env.StdinIsTerminal, w.env.Stdin = true, io.MultiReader(strings.NewReader("{"), strings.NewReader("}"))
	r := w.run("put", "--spool", w.spool).wantCode(t, exit.OK)
	wantText(t, "standard error", r.stderr, "Ctrl-D")
}
