package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

func logged(c logConfig, do func(*slog.Logger)) string {
	var b bytes.Buffer
	c.w, c.now = &b, func() time.Time { return time.Unix(0, 0).UTC() }
	do(newLog(c))
	return b.String()
}

func TestTextMessagesFitTheirReader(t *testing.T) {
	say := func(l *slog.Logger) {
		logError(l, slog.LevelError, errors.New("it broke\nmend it"), "count", 3)
		l.Warn("careful")
		l.Log(t.Context(), levelNotice, "better")
		l.Info("detail")
		l.Debug("more")
	}
	for _, c := range []struct {
		name string
		cfg  logConfig
		want string
	}{
		{"cron's mail", logConfig{}, "spoolfwd: it broke\nspoolfwd:   mend it\nspoolfwd: careful\nspoolfwd: better\n"},
		{"terminal", logConfig{kind: streamTerminal, verbose: true},
			"spoolfwd: it broke\nspoolfwd:   mend it\nspoolfwd: careful\nspoolfwd: better\nspoolfwd: detail\nspoolfwd: more\n"},
		{"journal", logConfig{kind: streamJournal, verbose: true}, "<3>it broke\n<3>  mend it\n<4>careful\n<5>better\n<6>detail\n<7>more\n"},
		{"log file", logConfig{kind: streamFile},
			"1970-01-01T00:00:00Z spoolfwd: it broke\n1970-01-01T00:00:00Z spoolfwd:   mend it\n1970-01-01T00:00:00Z spoolfwd: careful\n1970-01-01T00:00:00Z spoolfwd: better\n"},
	} {
		if got := logged(c.cfg, say); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

func TestJSONMessages(t *testing.T) {
	got := logged(logConfig{json: true}, func(l *slog.Logger) {
		logError(l, levelNotice, errors.New("bad\x1b name\nmend it"), "count", 3)
	})
	var m map[string]any
	if err := json.Unmarshal([]byte(got), &m); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	want := map[string]any{"time": "1970-01-01T00:00:00Z", "level": "NOTICE", "msg": "bad\x1b name", "hint": "mend it", "count": 3.0}
	for k, v := range want {
		if m[k] != v {
			t.Errorf("%s is %v, want %v", k, m[k], v)
		}
	}
	wantNoText(t, "the line", got, "\x1b")
}

func TestNothingThatATerminalObeysIsPrinted(t *testing.T) {
	for text, want := range map[string]string{
		"plain ü 漢":      "plain ü 漢",
		"a\nb\tc\rd":     `a\nb\tc\rd`,
		"\x1b[31mred":    `\x1b[31mred`,
		"\u009b2J":       `\x9b2J`,
		"bad \xff\xfe":   `bad \xff\xfe`,
		"\u202egnp.exe":  `\u202egnp.exe`,
		"line\u2028line": `line\u2028line`,
		"real \uFFFD":    "real \uFFFD",
		"del\x7f":        `del\x7f`,
		"nul\x00":        `nul\x00`,
	} {
		if got := printable(text); got != want {
			t.Errorf("%q is printed as %q, want %q", text, got, want)
		}
	}
}

func TestTheKindOfStandardErrorIsRecognised(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer pipe.Close()
	id := func(f *os.File) string {
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		st := info.Sys().(*syscall.Stat_t)
		return strconv.FormatUint(uint64(st.Dev), 10) + ":" + strconv.FormatUint(uint64(st.Ino), 10)
	}
	for _, c := range []struct {
		name    string
		f       *os.File
		journal string
		want    streamKind
	}{
		{"file", file, "", streamFile},
		{"pipe", pipe, "", streamOther},
		{"pipe to the journal", pipe, id(pipe), streamJournal},
		{"file, while the parent's output went to the journal", file, id(pipe), streamFile},
		{"nonsense in the variable", pipe, "x:y:z", streamOther},
	} {
		if got := streamKindOf(c.f, c.journal); got != c.want {
			t.Errorf("%s is taken for %d, want %d", c.name, got, c.want)
		}
	}
}

// An answer that went nowhere must not look like one that was given.
func TestAFullStandardOutputIsAnError(t *testing.T) {
	w := newWorld(t)
	w.env.Stdout = brokenWriter{syscall.ENOSPC}
	r := w.do("status").wantCode(t, exit.IO)
	wantText(t, "standard error", r.stderr, "cannot write to standard output", "no space left")
	w.env.Stdout = brokenWriter{&net.OpError{Op: "write", Err: syscall.EPIPE}}
	w.do("status").wantCode(t, exit.OK).wantSilence(t)
}

type brokenWriter struct{ err error }

func (b brokenWriter) Write([]byte) (int, error) { return 0, b.err }
