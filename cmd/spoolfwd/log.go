package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// levelNotice is between slog's Info and Warn: good news that is worth a line.
// Debug and Info are for -v.
const levelNotice = slog.Level(2)

// hintKey names the attribute that holds what to do about a message.
const hintKey = "hint"

// logConfig says how messages look.
type logConfig struct {
	w       io.Writer
	json    bool
	verbose bool
	kind    streamKind
	now     func() time.Time
}

// newLog returns the logger for standard error. Text is for people and mail: the
// message is a whole sentence and stands alone, its attributes are only in JSON.
func newLog(c logConfig) *slog.Logger {
	level := levelNotice
	if c.verbose {
		level = slog.LevelDebug
	}
	if c.json {
		inner := slog.NewJSONHandler(c.w, &slog.HandlerOptions{Level: level, ReplaceAttr: nameNotice})
		return slog.New(clockHandler{inner, c.now})
	}
	return slog.New(&textHandler{logConfig: c, level: level, mu: new(sync.Mutex)})
}

// nameNotice writes levelNotice as a word instead of "INFO+2".
func nameNotice(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.LevelKey && a.Value.Any() == levelNotice {
		a.Value = slog.StringValue("NOTICE")
	}
	return a
}

// clockHandler stamps records with the clock of Env.
type clockHandler struct {
	slog.Handler
	now func() time.Time
}

func (h clockHandler) Handle(ctx context.Context, r slog.Record) error {
	r.Time = h.now()
	return h.Handler.Handle(ctx, r)
}

// textHandler writes one line per message, with the hint as a second one. Where
// the reader adds no time of its own, in a log file, the line begins with it.
type textHandler struct {
	logConfig
	level slog.Level
	mu    *sync.Mutex
}

func (h *textHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level }
func (h *textHandler) WithAttrs([]slog.Attr) slog.Handler           { return h }
func (h *textHandler) WithGroup(string) slog.Handler                { return h }

func (h *textHandler) Handle(_ context.Context, r slog.Record) error {
	var b bytes.Buffer
	prefix := h.prefix(r.Level)
	b.WriteString(prefix + printable(r.Message) + "\n")
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == hintKey {
			for line := range strings.Lines(a.Value.String()) {
				b.WriteString(prefix + "  " + printable(strings.TrimRight(line, "\n")) + "\n")
			}
		}
		return true
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := h.w.Write(b.Bytes())
	return err
}

// prefix returns what stands before every line: under journald the priority
// (sd-daemon(3)), to which it adds time and program itself; elsewhere the
// program, and in a file the time.
func (h *textHandler) prefix(l slog.Level) string {
	switch h.kind {
	case streamJournal:
		switch {
		case l >= slog.LevelError:
			return "<3>"
		case l >= slog.LevelWarn:
			return "<4>"
		case l >= levelNotice:
			return "<5>"
		case l >= slog.LevelInfo:
			return "<6>"
		}
		return "<7>"
	case streamFile:
		return h.now().Format(time.RFC3339) + " spoolfwd: "
	}
	return "spoolfwd: "
}

// logError writes each single error in err at a level, with its hint.
func logError(log *slog.Logger, level slog.Level, err error, attrs ...any) {
	for _, e := range exit.Each(err) {
		message := messageOf(e)
		if message == "" {
			continue
		}
		all := attrs
		if hint := hintOf(e); hint != "" {
			all = append(attrs[:len(attrs):len(attrs)], hintKey, hint)
		}
		log.Log(context.Background(), level, message, all...)
	}
}
