package main

import (
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

func TestADryRunMentionsAnOpenBreaker(t *testing.T) {
	w := openWorld(t, 1)
	r := w.do("run", "--dry-run").wantCode(t, exit.OK)
	wantText(t, "standard error", r.stderr, "breaker central_listener is open", "1m00s")
}
