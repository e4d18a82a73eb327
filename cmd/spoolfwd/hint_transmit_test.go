package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

func TestEveryCauseOfAFailedRequestHasAHint(t *testing.T) {
	for cause := transmit.Unknown + 1; cause <= transmit.NoResources; cause++ {
		hint := transmitHints()[cause]
		if hint == "" || strings.ContainsAny(hint, "\n") {
			t.Errorf("cause %d has the hint %q, want one line", cause, hint)
		}
		if got := hintOf(fmt.Errorf("wrapped: %w", &transmit.Error{Cause: cause})); got != hint {
			t.Errorf("an error with cause %d has the hint %q, want %q", cause, got, hint)
		}
	}
	if got := hintOf(&transmit.Error{Cause: transmit.Unknown}); got != "" {
		t.Errorf("an unknown cause has the hint %q", got)
	}
}

func TestARedirectsHintSaysWhereItPoints(t *testing.T) {
	const want = "moved to /elsewhere: redirects are not followed, check --url"
	if got := hintOf(&transmit.Error{Cause: transmit.Moved, Location: "/elsewhere"}); got != want {
		t.Errorf("the hint is %q, want %q", got, want)
	}
}
