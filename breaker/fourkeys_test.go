package breaker

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// waitOfFourKeys is how long a program waits that knows just the four keys, and a retry timeout of
// a minute: that is all it does.
func waitOfFourKeys(t *testing.T, b *Breaker, now time.Time) time.Duration {
	t.Helper()
	var file fourKeys
	mustDo(t, "Unmarshal", json.Unmarshal([]byte(readState(t, b)), &file))
	if *file.State != "open" {
		return 0
	}
	return max(0, (microsFromSeconds(*file.OpenedAt) + minute - microsAt(now)).duration())
}

func TestATripAndARetryAfterHoldProgramsThatKnowJustTheFourSharedKeys(t *testing.T) {
	type clock struct {
		name         string
		now          time.Time     // when the file is looked at
		theirs, ours time.Duration // how long the two wait then
		corrected    time.Duration // how long they wait after a run, which corrects times in the future
	}
	for _, hold := range []struct {
		name   string
		open   func(b *Breaker) error
		clocks []clock
	}{
		{"a trip for two hours", func(b *Breaker) error { return b.Trip(start, 2*time.Hour) }, []clock{
			{"at once", start, 2 * time.Hour, 2 * time.Hour, 2 * time.Hour},
			{"just before the end", start.Add(2*time.Hour - time.Microsecond), time.Microsecond, time.Microsecond, time.Microsecond},
			{"at the end", start.Add(2 * time.Hour), 0, 0, 0},
			{"after the clock went forward", start.Add(24 * time.Hour), 0, 0, 0},
			{"after the clock went back by an hour", start.Add(-time.Hour), 3 * time.Hour, 2 * time.Hour, 2 * time.Hour},
		}},
		{"a Retry-After of ten minutes", func(b *Breaker) error { return b.RecordFailure(start, 10*time.Minute) }, []clock{
			{"at once", start, 10 * time.Minute, 10 * time.Minute, 10 * time.Minute},
			{"at the end", start.Add(10 * time.Minute), 0, 0, 0},
			{"after the clock went back by a year", start.AddDate(-1, 0, 0), 365*24*time.Hour + 10*time.Minute, 10 * time.Minute, 10 * time.Minute},
		}},
		{"a Retry-After of a second", func(b *Breaker) error { return b.RecordFailure(start, time.Second) }, []clock{
			{"at once", start, time.Minute, time.Minute, time.Minute},
		}},
	} {
		for _, at := range hold.clocks {
			t.Run(hold.name+", "+at.name, func(t *testing.T) {
				c := Config{StateDir: t.TempDir()}
				b := open(t, c, start)
				mustDo(t, "open", hold.open(b))
				if got := waitOfFourKeys(t, b, at.now); got != at.theirs {
					t.Errorf("a program that knows four keys waits for %v, want %v", got, at.theirs)
				}
				b = newBreaker(t, c)
				mustDo(t, "Peek", b.Peek(at.now))
				if got := b.Wait(at.now); got != at.ours {
					t.Errorf("a run waits for %v, want %v", got, at.ours)
				}
				b = open(t, c, at.now)
				if theirs, ours := waitOfFourKeys(t, b, at.now), b.Wait(at.now); theirs != at.corrected || ours != at.corrected {
					t.Errorf("after a run, the other program waits for %v and the next run for %v, want %v", theirs, ours, at.corrected)
				}
			})
		}
	}
}

// The moment of the opening is a run's own, whatever the others are shown.
func TestTheOpeningOfAHeldBreakerIsStillKnown(t *testing.T) {
	c := Config{StateDir: t.TempDir()}
	mustDo(t, "Trip", open(t, c, start).Trip(start, 2*time.Hour))
	if got := open(t, c, start).Stats(start).OpenedAt; got != microsAt(start).seconds() {
		t.Errorf("opened at %f, want %f", got, microsAt(start).seconds())
	}
}

func TestAnotherProgramsOpeningEndsTheProofOfOurs(t *testing.T) {
	const ours = `"not_before":1763852000,"really_opened_at":1763848000,"shown_opened_at":1763851940`
	for _, test := range []struct {
		name     string
		openedAt float64 // in the file
		want     float64
	}{
		{"as it was written", 1763851940, 1763848000},
		{"opened anew by a program that keeps unknown keys", 1763848100, 1763848100},
		{"closed and without a time", 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, unknown, err := decode(fmt.Appendf(nil, `{"state":"open","failure_count":5,"opened_at":%f,%s}`, test.openedAt, ours))
			if err != nil || len(unknown) != 0 {
				t.Fatalf("%v, with unknown keys %v", err, unknown)
			}
			if got := s.openedAt.seconds(); got != test.want {
				t.Errorf("opened at %f, want %f", got, test.want)
			}
			if written := string(encode(s, nil, minute)); test.openedAt == 0 && strings.Contains(written, "really") {
				t.Errorf("written as %s", written)
			}
		})
	}
}
