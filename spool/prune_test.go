package spool_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

// The tests of this file take place at the real time or later, since nobody can set the time of a
// file's last change of status.

// rejectNow rejects payload files of 10 bytes, the first one longest ago: by a minute each.
func rejectNow(t *testing.T, s *spool.Spool, now time.Time, names ...string) {
	t.Helper()
	for i, name := range names {
		path := filepath.Join(s.Dir(), name)
		must(t, os.WriteFile(path, []byte(`"23456789"`), 0o600))
		must(t, os.Chtimes(path, now.Add(-time.Hour), now.Add(-time.Hour)))
		must(t, s.Reject(read(t, s, name), spool.Reason{Time: now.Add(time.Duration(i-len(names)+1) * time.Minute), Error: "refused"}))
	}
}

func prune(t *testing.T, s *spool.Spool, now time.Time, maxAge time.Duration, maxBytes int64) spool.Pruned {
	t.Helper()
	pruned, err := s.PruneRejected(now, maxAge, maxBytes)
	must(t, err)
	return pruned
}

// sizeOf is what rejected/ holds, reasons included.
func sizeOf(t *testing.T, dir string) (size int64) {
	t.Helper()
	for _, name := range list(t, dir, "rejected") {
		st, err := os.Stat(filepath.Join(dir, "rejected", name))
		must(t, err)
		if !strings.HasPrefix(name, ".") {
			size += st.Size()
		}
	}
	return size
}

func TestPruneDeletesWhatIsOlderThanItMayBe(t *testing.T) {
	now := time.Now()
	s, dir := newSpool(t, spool.Config{})
	rejectNow(t, s, now, "a.json")
	rejectNow(t, s, now.Add(time.Hour), "b.json")
	for _, tt := range []struct {
		after time.Duration
		want  []string
	}{
		{time.Minute, []string{"a.json", "b.json"}},
		{24*time.Hour - time.Minute, []string{"a.json", "b.json"}},
		{24*time.Hour + time.Minute, []string{"b.json"}},
		{26 * time.Hour, nil},
	} {
		pruned := prune(t, s, now.Add(tt.after), 24*time.Hour, 0)
		wantNames(t, "left after "+tt.after.String(), rejectedNames(t, s), tt.want...)
		if pruned.ClockJumped != 0 {
			t.Errorf("the clock is said to have jumped by %v", pruned.ClockJumped)
		}
	}
	wantNames(t, "in rejected/", list(t, dir, "rejected"))
}

func TestPruneKeepsPayloadsAndReasonsWithinTheirBytes(t *testing.T) {
	now := time.Now()
	all := []string{"d.json", "a.json", "c.json", "b.json"} // the longest rejected first
	for left := range len(all) + 1 {
		s, dir := newSpool(t, spool.Config{})
		rejectNow(t, s, now, all...)
		size := sizeOf(t, dir)
		limit := size / 4 * int64(left)
		pruned := prune(t, s, now, 0, max(limit, 1))
		wantNames(t, "left", rejectedNames(t, s), all[len(all)-left:]...)
		if got := sizeOf(t, dir); got > limit || size-got != pruned.Bytes {
			t.Errorf("%d bytes are left of %d with a limit of %d, and %d are said to be deleted", got, size, limit, pruned.Bytes)
		}
		wantNames(t, "said to be deleted", pruned.Names, all[:len(all)-left]...)
		if pruned.Files != len(all)-left {
			t.Errorf("%d are said to be deleted, want %d", pruned.Files, len(all)-left)
		}
	}
}

// Times that say more than the clock has passed since must not make a payload old.
func TestAPayloadIsAsOldAsTheLatestOfItsTimesSays(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		name   string
		reason string // "": none
		mtime  time.Time
	}{
		{"its reason is missing and it waited long in the spool", "", now.AddDate(-1, 0, 0)},
		{"its reason is damaged", "{", now.AddDate(-1, 0, 0)},
		{"it was rejected while the clock said 1970", `{"file":"x.json","time":"1970-01-01T00:01:00Z"}`, time.Unix(60, 0)},
		{"its reason is of the future", `{"file":"x.json","time":"2999-01-01T00:00:00Z"}`, now.AddDate(-1, 0, 0)},
		{"its file is of the future", `{"file":"x.json","time":"1970-01-01T00:01:00Z"}`, now.AddDate(100, 0, 0)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, dir := newSpool(t, spool.Config{})
			rejectNow(t, s, now, "x.json")
			reason := filepath.Join(dir, "rejected", "x.json.reason.json")
			must(t, os.Remove(reason))
			if tt.reason != "" {
				must(t, os.WriteFile(reason, []byte(tt.reason), 0o600))
			}
			must(t, os.Chtimes(filepath.Join(dir, "rejected", "x.json"), tt.mtime, tt.mtime))
			prune(t, s, now, time.Hour, 0)
			wantNames(t, "left", rejectedNames(t, s), "x.json")
		})
	}
}

// With --rejected-max-bytes a payload dated 1970 would be the first to go although it came last.
func TestAPayloadOfAnImpossibleTimeIsNotTheOldest(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	now := time.Now()
	rejectNow(t, s, now, "a.json", "b.json")
	write(t, dir, "rejected/b.json.reason.json", `{"file":"b.json","time":"1970-01-01T00:01:00Z"}`, 0)
	must(t, os.Chtimes(filepath.Join(dir, "rejected", "b.json"), time.Unix(60, 0), time.Unix(60, 0)))
	prune(t, s, now.Add(time.Second), 0, sizeOf(t, dir)-1)
	wantNames(t, "left", rejectedNames(t, s), "b.json")
}

func TestAClockThatCannotBeRightDeletesNothing(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		name string
		wrap func(s *spool.Spool) // what happened before
		at   time.Time
	}{
		{"it says 1970", func(*spool.Spool) {}, time.Unix(0, 0)},
		{"it is a year ahead", func(s *spool.Spool) { s.PruneRejected(now, time.Hour, 0) }, now.AddDate(1, 0, 0)},
		{"it is a year ahead in the first run with a limit", func(*spool.Spool) {}, now.AddDate(1, 0, 0)},
		{"it was a year ahead and is right again", func(s *spool.Spool) {
			s.PruneRejected(now.AddDate(1, 0, 0), time.Hour, 0)
			s.PruneRejected(now.AddDate(1, 0, 2), time.Hour, 1<<40)
		}, now.Add(2 * time.Hour)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := newSpool(t, spool.Config{})
			rejectNow(t, s, now, "a.json", "b.json")
			tt.wrap(s)
			before := rejectedNames(t, s)
			for range 3 { // whichever run it is
				if pruned := prune(t, s, tt.at, time.Minute, 1); pruned.Files != 0 {
					t.Errorf("deleted %+v", pruned)
				}
			}
			wantNames(t, "left", rejectedNames(t, s), before...)
		})
	}
}

// The clock is believed again when it has gone on for a day, and its jump is told once.
func TestDeletionGoesOnADayAfterTheClockJumped(t *testing.T) {
	s, _ := newSpool(t, spool.Config{})
	now := time.Now()
	rejectNow(t, s, now, "a.json")
	ahead := now.AddDate(0, 1, 0)
	told := 0
	for hour := range 24 {
		pruned := prune(t, s, ahead.Add(time.Duration(hour)*time.Hour), time.Hour, 0)
		if pruned.Files != 0 {
			t.Fatalf("deleted after %d hours", hour)
		}
		if pruned.ClockJumped > 0 {
			told++
		}
	}
	if pruned := prune(t, s, ahead.Add(24*time.Hour), time.Hour, 0); pruned.Files != 1 || told != 1 {
		t.Errorf("a day later %d are deleted, want 1; the jump was told %d times, want once", pruned.Files, told)
	}
}

// A run a month after the last one looks like a clock that was moved by a month. From the second
// such run on it does not.
func TestRunsAMonthApartDelete(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	now := time.Now()
	const month, maxAge = 30 * 24 * time.Hour, 80 * 24 * time.Hour
	rejectNow(t, s, now, "a.json", "b.json")
	for _, step := range []struct {
		name   string
		after  time.Duration
		maxAge time.Duration
		files  int
		jumped bool
	}{
		{"first run", 0, maxAge, 0, false},
		{"a month later", month, maxAge, 0, true},
		{"two months later", 2*month + time.Hour, time.Hour, 2, false},
	} {
		pruned := prune(t, s, now.Add(step.after), step.maxAge, 0)
		if pruned.Files != step.files || (pruned.ClockJumped != 0) != step.jumped {
			t.Errorf("%s: %d deleted, want %d; the clock is said to have jumped by %v, want that: %v", step.name, pruned.Files, step.files, pruned.ClockJumped, step.jumped)
		}
	}
	wantNames(t, "in rejected/", list(t, dir, "rejected"))
}

func TestAClockThatJumpsBetweenRunsAMonthApartDeletesNothing(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name string
		days []int // of the runs after the usual ones; none of them may delete
	}{
		{"a year ahead", []int{60 + 365}},
		{"a year ahead and right again", []int{60 + 365, 90}},
		{"a year ahead, right again and a year ahead once more", []int{60 + 365, 90, 90 + 365}},
		{"a year back", []int{60 - 365}},
		{"in 1970", []int{-56 * 365}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := newSpool(t, spool.Config{})
			now := time.Now()
			rejectNow(t, s, now, "a.json")
			for n := range 3 {
				prune(t, s, now.Add(time.Duration(n)*30*day), 1000*day, 0)
			}
			for _, n := range tt.days {
				if pruned := prune(t, s, now.Add(time.Duration(n)*day), time.Hour, 1); pruned.Files != 0 {
					t.Errorf("on day %d: deleted %+v", n, pruned)
				}
			}
		})
	}
}

// Earlier versions noted one time: that of the last run, or that from which on they would delete.
func TestTheClockNoteOfAnEarlierVersionCounts(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		name  string
		noted time.Time
		want  int // deleted
	}{
		{"an hour ago", now.Add(-time.Hour), 1},
		{"in twenty hours, after a jump", now.Add(20 * time.Hour), 0},
		{"a year ago", now.AddDate(-1, 0, 0), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, dir := newSpool(t, spool.Config{})
			rejectNow(t, s, now, "a.json")
			write(t, dir, "rejected/.clock", strconv.FormatInt(tt.noted.Unix(), 10), 0)
			pruned := prune(t, s, now.Add(time.Minute), time.Second, 0)
			if pruned.Files != tt.want {
				t.Errorf("%d are deleted, want %d", pruned.Files, tt.want)
			}
		})
	}
}

// A crash between the reason and the move leaves a reason without a payload.
func TestReasonsWithoutAPayloadAreListedCountedAndDeleted(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	now := time.Now()
	rejectNow(t, s, now, "gone.json", "x.json")
	must(t, os.Remove(filepath.Join(dir, "rejected", "gone.json")))
	orphans := slices.DeleteFunc(mustList(t, s), func(r spool.Rejected) bool { return !r.Orphan })
	if len(orphans) != 1 || orphans[0].Name != "gone.json" || orphans[0].Size != 0 {
		t.Errorf("the orphans are %+v", orphans)
	}
	size := sizeOf(t, dir)
	if pruned := prune(t, s, now.Add(time.Minute), 0, size); pruned.Files != 0 {
		t.Errorf("deleted %+v with exactly as many bytes as allowed", pruned)
	}
	if pruned := prune(t, s, now.Add(2*time.Minute), 0, size-1); pruned.Files != 1 {
		t.Errorf("deleted %+v with one byte more than allowed, in which the orphan counts", pruned)
	}
	rejectNow(t, s, now, "y.json")
	prune(t, s, now.Add(2*time.Hour), 24*time.Hour, 0)
	wantNames(t, "in rejected/ later", list(t, dir, "rejected"), ".clock", "y.json", "y.json.reason.json")

	rejectNow(t, s, now, "z.json")
	must(t, os.Remove(filepath.Join(dir, "rejected", "z.json")))
	for _, r := range mustList(t, s) {
		must(t, s.RemoveRejected(r))
	}
	wantNames(t, "when all are removed", list(t, dir, "rejected"), ".clock")
}
