package breaker

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTheCauseOfTheLastFailureIsKeptUntilASuccess(t *testing.T) {
	c := Config{StateDir: t.TempDir()}
	b := open(t, c, start)
	mustDo(t, "RecordFailure", b.RecordFailure(start, 0))
	b.NoteFailure("a.json: answered 500")
	mustDo(t, "Save", b.Save())

	b = open(t, c, start)
	if got := b.Stats(start).LastFailureCause; got != "a.json: answered 500" {
		t.Errorf("after a reload the cause is %q", got)
	}
	mustDo(t, "RecordSuccess", b.RecordSuccess(start))
	mustDo(t, "Save", b.Save())
	if got := open(t, c, start).Stats(start).LastFailureCause; got != "" {
		t.Errorf("after a success the cause is %q", got)
	}
}

func TestTheCauseOfAFailureIsCutShortAndNeverKeepsAStateFromLoading(t *testing.T) {
	c := Config{StateDir: t.TempDir()}
	b := open(t, c, start)
	b.NoteFailure("nothing has failed")
	if got := b.Stats(start).LastFailureCause; got != "" {
		t.Errorf("without a failure the cause is %q", got)
	}
	mustDo(t, "RecordFailure", b.RecordFailure(start, 0))
	b.NoteFailure(strings.Repeat("ü", maxCause))
	mustDo(t, "Save", b.Save())
	if got := open(t, c, start).Stats(start).LastFailureCause; len(got) > maxCause || len(got) < maxCause-1 || !utf8.ValidString(got) {
		t.Errorf("a long cause is kept as %d bytes: %.20q...", len(got), got)
	}
	// Another program may write anything there; the state still counts.
	for _, value := range []string{"null", "7", `{"a":[]}`, `"` + strings.Repeat("x", maxCause+1) + `"`} {
		c := stateFile(t, `{"state":"closed","failure_count":2,"last_failure_cause":`+value+`}`)
		if got := open(t, c, start).Stats(start); got.FailureCount != 2 || got.LastFailureCause != "" {
			t.Errorf("from %.20s the count is %d and the cause %q", value, got.FailureCount, got.LastFailureCause)
		}
	}
}
