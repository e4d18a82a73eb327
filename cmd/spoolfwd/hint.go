package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// hinted is an error with a sentence about what to do. The sentence is not a part of Error():
// messages show it as a line of its own, and a monitoring plugin leaves it out.
type hinted struct {
	err  error
	hint string
}

func (h *hinted) Error() string { return h.err.Error() }
func (h *hinted) Unwrap() error { return h.err }

// withHint adds a hint to err. An err that has a hint keeps that one, since it is nearer to the
// cause. A nil err stays nil.
func withHint(err error, hint string) error {
	if err == nil || remedyOf(err) != "" {
		return err
	}
	return &hinted{err, hint}
}

// hintOf returns what to do about one error, or "".
func hintOf(err error) string { return deniedHint(err, remedyOf(err)) }

// remedyOf returns the remedy that belongs to one error, or "".
func remedyOf(err error) string {
	var h *hinted
	if errors.As(err, &h) {
		return h.hint
	}
	return cmp.Or(pathHint(err), spoolHint(err), transmitHint(err), drainHint(err))
}

// logError writes each single error in err at a level, with its hint.
func logError(log *slog.Logger, level slog.Level, err error, attrs ...any) {
	for _, e := range exit.Each(err) {
		message := e.Error()
		if message == "" {
			continue
		}
		all := attrs
		if hint := hintOf(e); hint != "" {
			all = append(attrs[:len(attrs):len(attrs)], console.HintKey, hint)
		}
		log.Log(context.Background(), level, message, all...)
	}
}
