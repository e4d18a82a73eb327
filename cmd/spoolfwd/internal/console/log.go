package console

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// LevelNotice is between slog's Info and Warn: good news that is worth a line. Debug and Info are
// for -v.
const LevelNotice = slog.Level(2)

// HintKey names the attribute that says what to do about a message.
const HintKey = "hint"

// LogConfig says how messages look.
type LogConfig struct {
	Writer  io.Writer
	JSON    bool
	Verbose bool
	Kind    StreamKind
	Now     func() time.Time
}

// NewLog returns the logger for standard error. Text is for people and mail: the message is a whole
// sentence and stands alone. Its attributes are only in JSON.
func NewLog(c LogConfig) *slog.Logger {
	level := LevelNotice
	if c.Verbose {
		level = slog.LevelDebug
	}
	if c.JSON {
		inner := slog.NewJSONHandler(jsonLines{c.Writer}, &slog.HandlerOptions{Level: level, ReplaceAttr: nameNotice})
		return slog.New(clockHandler{inner, c.Now})
	}
	return slog.New(&textHandler{LogConfig: c, level: level, mu: new(sync.Mutex)})
}

// nameNotice writes LevelNotice as a word instead of "INFO+2".
func nameNotice(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.LevelKey && a.Value.Any() == LevelNotice {
		a.Value = slog.StringValue("NOTICE")
	}
	return a
}

// clockHandler stamps records with the time of a given clock.
type clockHandler struct {
	slog.Handler
	now func() time.Time
}

func (h clockHandler) Handle(ctx context.Context, r slog.Record) error {
	r.Time = h.now()
	return h.Handler.Handle(ctx, r)
}

// textHandler writes one line per message, and the hint as a second one. Where the reader adds no
// time, in a log file, the line begins with it.
type textHandler struct {
	LogConfig
	level slog.Level
	mu    *sync.Mutex // held while one message is written
}

func (h *textHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level }
func (h *textHandler) WithAttrs([]slog.Attr) slog.Handler           { return h }
func (h *textHandler) WithGroup(string) slog.Handler                { return h }

func (h *textHandler) Handle(_ context.Context, r slog.Record) error {
	var b bytes.Buffer
	prefix := h.prefix(r.Level)
	b.WriteString(prefix + transmit.Printable(r.Message) + "\n")
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == HintKey {
			for line := range strings.Lines(a.Value.String()) {
				b.WriteString(prefix + "  " + transmit.Printable(strings.TrimRight(line, "\n")) + "\n")
			}
		}
		return true
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := h.Writer.Write(b.Bytes())
	return err
}

// prefix returns what stands before every line. Under journald it is the priority (sd-daemon(3)):
// journald adds time and program itself. Elsewhere it is the program, and in a file also the time.
func (h *textHandler) prefix(l slog.Level) string {
	switch h.Kind {
	case Journal:
		switch {
		case l >= slog.LevelError:
			return "<3>"
		case l >= slog.LevelWarn:
			return "<4>"
		case l >= LevelNotice:
			return "<5>"
		case l >= slog.LevelInfo:
			return "<6>"
		}
		return "<7>"
	case File:
		return h.Now().Format(time.RFC3339) + " spoolfwd: "
	}
	return "spoolfwd: "
}
