package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

func TestAHintSurvivesWrappingAndStaysOutOfTheMessage(t *testing.T) {
	base := errors.New("the disk is full")
	err := fmt.Errorf("cannot save: %w", exit.With(exit.IO, withHint(base, "make room")))
	if got := err.Error(); got != "cannot save: the disk is full" {
		t.Errorf("the message is %q", got)
	}
	if got := hintOf(err); got != "make room" {
		t.Errorf("the hint is %q", got)
	}
	if !errors.Is(err, base) {
		t.Error("the cause is lost")
	}
}

func TestTheHintNearestToTheCauseIsKept(t *testing.T) {
	inner := withHint(errors.New("a"), "the cause's hint")
	if got := hintOf(withHint(fmt.Errorf("b: %w", inner), "see --help")); got != "the cause's hint" {
		t.Errorf("the hint is %q", got)
	}
}

func TestNoErrorHasNoHint(t *testing.T) {
	if err := withHint(nil, "do something"); err != nil {
		t.Errorf("got %v", err)
	}
	if got := hintOf(nil); got != "" {
		t.Errorf("the hint is %q", got)
	}
}
