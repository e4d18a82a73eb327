package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func logged(c LogConfig, do func(*slog.Logger)) string {
	var b bytes.Buffer
	c.Writer, c.Now = &b, func() time.Time { return time.Unix(0, 0).UTC() }
	do(NewLog(c))
	return b.String()
}

func TestTextMessagesHaveTheFormOfMailTerminalOrJournal(t *testing.T) {
	say := func(l *slog.Logger) {
		l.Error("it broke", HintKey, "mend it", "count", 3)
		l.Warn("careful")
		l.Log(t.Context(), LevelNotice, "better")
		l.Info("detail")
		l.Debug("more")
	}
	for _, c := range []struct {
		name string
		cfg  LogConfig
		want string
	}{
		{"cron's mail", LogConfig{}, "spoolfwd: it broke\nspoolfwd:   mend it\nspoolfwd: careful\nspoolfwd: better\n"},
		{"terminal", LogConfig{Kind: Terminal, Verbose: true},
			"spoolfwd: it broke\nspoolfwd:   mend it\nspoolfwd: careful\nspoolfwd: better\nspoolfwd: detail\nspoolfwd: more\n"},
		{"journal", LogConfig{Kind: Journal, Verbose: true}, "<3>it broke\n<3>  mend it\n<4>careful\n<5>better\n<6>detail\n<7>more\n"},
		{"log file", LogConfig{Kind: File},
			"1970-01-01T00:00:00Z spoolfwd: it broke\n1970-01-01T00:00:00Z spoolfwd:   mend it\n1970-01-01T00:00:00Z spoolfwd: careful\n1970-01-01T00:00:00Z spoolfwd: better\n"},
	} {
		if got := logged(c.cfg, say); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

func TestJSONMessages(t *testing.T) {
	got := logged(LogConfig{JSON: true}, func(l *slog.Logger) {
		l.Log(t.Context(), LevelNotice, "bad\x1b name", HintKey, "mend it", "count", 3)
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
	if strings.Contains(got, "\x1b") {
		t.Errorf("the line holds an escape character: %q", got)
	}
}

// A file's name or a listener's words can hold what a terminal obeys, and JSON is printed to
// terminals too.
func TestNothingInJSONMakesATerminalDoAnything(t *testing.T) {
	const nasty = "\x1b[31m \x7f \u009b31m \u202edcba \u2066 \u200b \U000e0041 \ufeff \xff"
	const harmless = "caf\u00e9 \u65e5\u672c \U0001f642 \"quoted\" <&>"
	raw := json.RawMessage(`"` + nasty[len("\x1b"):] + `"`) // as it stands in a payload file
	var all bytes.Buffer
	p := NewPrinter(&all)
	p.JSON(map[string]any{nasty: nasty, "harmless": harmless, "raw": raw})
	p.JSONList(func(yield func(any) bool) { yield(nasty) })
	all.WriteString(logged(LogConfig{JSON: true}, func(l *slog.Logger) { l.Warn(nasty, nasty, nasty) }))
	for _, r := range all.String() {
		if r != '\n' && !strconv.IsPrint(r) {
			t.Errorf("%U is printed as it stands in\n%q", r, all.String())
			break
		}
	}
	if !strings.Contains(all.String(), `café 日本 🙂 \"quoted\" <&>`) {
		t.Errorf("harmless characters are escaped in\n%s", all.String())
	}
	var first map[string]string
	if err := json.NewDecoder(&all).Decode(&first); err != nil {
		t.Fatal(err)
	}
	if want := strings.ToValidUTF8(nasty, "\ufffd"); first[want] != want || first["raw"] != want[len("\x1b"):] {
		t.Errorf("it is read back as %q, want %q", first, want)
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
		want    StreamKind
	}{
		{"file", file, "", File},
		{"pipe", pipe, "", Pipe},
		{"pipe to the journal", pipe, id(pipe), Journal},
		{"file, while the parent's output went to the journal", file, id(pipe), File},
		{"nonsense in the variable", pipe, "x:y:z", Pipe},
	} {
		if got := KindOf(c.f, c.journal); got != c.want {
			t.Errorf("%s is taken for %d, want %d", c.name, got, c.want)
		}
	}
}

func TestAMessageIsOneLineWhateverItHolds(t *testing.T) {
	got := logged(LogConfig{}, func(l *slog.Logger) { l.Warn("a\nb\x1b[31m\u202ec") })
	if want := "spoolfwd: a\\nb\\x1b[31m\\u202ec\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnAnswerIsOneLineWhateverItsPartsHold(t *testing.T) {
	var b bytes.Buffer
	NewPrinter(&b).Line("%s: %v, %d", "a\nb", errors.New("c\x1b"), 3)
	if want := "a\\nb: c\\x1b, 3\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestCountsSizesAndDurationsAreWordedForPeople(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                                        "0s",
		1500 * time.Microsecond:                  "2ms",
		3 * time.Second:                          "3s",
		2500 * time.Millisecond:                  "2.5s",
		90 * time.Second:                         "1m30s",
		59_960 * time.Millisecond:                "1m00s",
		119_600 * time.Millisecond:               "2m00s",
		59*time.Minute + 59_500*time.Millisecond: "1h00m",
		3*time.Hour + 5*time.Minute:              "3h05m",
		50 * time.Hour:                           "2d02h",
		-time.Minute:                             "-1m00s",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%d ns is written as %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 bytes", 1023: "1023 bytes", 1536: "1.5 KiB", 3 << 30: "3.0 GiB", 5 << 40: "5.0 TiB"} {
		if got := Size(n); got != want {
			t.Errorf("%d is written as %q, want %q", n, got, want)
		}
	}
	for _, c := range []struct {
		n          int
		word, want string
	}{{1, "item", "1 item"}, {2, "item", "2 items"}, {0, "entry", "0 entries"}} {
		if got := Count(c.n, c.word); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
