package spool_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/spool"
)

// hold opens a payload file as a producer does that writes under the final name.
func hold(t *testing.T, dir, name string, flags int) *os.File {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, name), flags, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestAFileIsLeftToItsProducerWhileItIsOpenForWriting(t *testing.T) {
	for _, tt := range []struct {
		name    string
		flags   int
		content string
		cfg     spool.Config
		want    string
	}{
		{"an appender's first line", os.O_WRONLY | os.O_APPEND, "{}\n", spool.Config{}, "is open for writing"},
		{"half a JSON value", os.O_RDWR, `{"a":`, spool.Config{}, "is open for writing"},
		{"half of any bytes", os.O_WRONLY, "half", spool.Config{Raw: true}, "is open for writing"},
		{"the beginning of what will be too large", os.O_WRONLY, `"2345678"`, spool.Config{MaxFileSize: 8}, "is open for writing"},
		{"open for reading only", os.O_RDONLY, "{}", spool.Config{}, ""},
	} {
		s, dir := lockedSpool(t, tt.cfg)
		write(t, dir, "x.json", tt.content, time.Second)
		f := hold(t, dir, "x.json", tt.flags)
		if got := waitsWhy(t, s, "x.json", noon); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		f.Close()
		var skip *spool.SkipError
		if _, err := s.Read(spool.Entry{Name: "x.json"}, noon, nil); errors.As(err, &skip) {
			t.Errorf("%s: it is still left alone when it is closed: %v", tt.name, err)
		}
	}
}

func TestAFileIsLeftAloneWhileItIsLocked(t *testing.T) {
	s, dir := lockedSpool(t, spool.Config{})
	write(t, dir, "x.json", "{}", time.Second)
	f := hold(t, dir, "x.json", os.O_RDONLY) // so that only the lock speaks
	must(t, unix.Flock(int(f.Fd()), unix.LOCK_EX))
	if got := waitsWhy(t, s, "x.json", noon); got != "is locked by another program" {
		t.Errorf("a locked file: %q", got)
	}
	must(t, unix.Flock(int(f.Fd()), unix.LOCK_SH))
	if got := waitsWhy(t, s, "x.json", noon); got != "" {
		t.Errorf("a file that others may read under its lock: %q", got)
	}
	must(t, unix.Flock(int(f.Fd()), unix.LOCK_UN))
	if got := waitsWhy(t, s, "x.json", noon); got != "" {
		t.Errorf("an unlocked file: %q", got)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Errorf("reading left a lock behind: %v", err)
	}
}

// A handle that somebody forgot must not keep a payload for ever.
func TestAWriterThatHasWrittenNothingForTenMinutesHoldsUpNothing(t *testing.T) {
	s, dir := lockedSpool(t, spool.Config{})
	write(t, dir, "x.json", "{}", 0)
	f := hold(t, dir, "x.json", os.O_WRONLY)
	must(t, unix.Flock(int(f.Fd()), unix.LOCK_EX))
	if got := waitsWhy(t, s, "x.json", noon.Add(10*time.Minute-1)); got == "" {
		t.Error("it was read before ten minutes were over")
	}
	if got := waitsWhy(t, s, "x.json", noon.Add(10*time.Minute)); got != "" {
		t.Errorf("after ten minutes: %q", got)
	}
	if got := waitsWhy(t, s, "x.json", noon.Add(1-10*time.Minute)); got == "" {
		t.Error("it was read although the clock of its server may be a little ahead")
	}
	if got := waitsWhy(t, s, "x.json", noon.Add(-100_000*time.Hour)); got != "" {
		t.Errorf("a time in a distant future: %q", got)
	}
}

// A producer that opens the file while a run asks whether anybody writes breaks the lease of the
// run, which the kernel tells it with a SIGIO. That must neither end the run nor stop the producer.
func TestAProducerThatOpensAFileWhileItIsLookedAtDisturbsNobody(t *testing.T) {
	s, dir := lockedSpool(t, spool.Config{})
	write(t, dir, "x.json", "{}", time.Second)
	stop, stopped := make(chan struct{}), make(chan int)
	go func() {
		opened := 0
		for ; ; opened++ {
			select {
			case <-stop:
				stopped <- opened
				return
			default:
			}
			f, err := os.OpenFile(filepath.Join(dir, "x.json"), os.O_WRONLY, 0)
			if err != nil {
				t.Errorf("the producer: %v", err)
				continue
			}
			f.Close()
		}
	}()
	outcomes := map[string]int{}
	for range 20_000 {
		outcomes[waitsWhy(t, s, "x.json", noon)]++
	}
	close(stop)
	opened := <-stopped
	if outcomes[""] == 0 || outcomes["is open for writing"] == 0 || opened == 0 {
		t.Errorf("the two never met: %v, opened %d times", outcomes, opened)
	}
}

// A dry run, or status, takes no lock and may look at any file at any time. The run beside it must
// find every file as if it were alone.
func TestWhoHasNoLockKeepsNoFileFromARun(t *testing.T) {
	run, dir := lockedSpool(t, spool.Config{})
	write(t, dir, "x.json", "{}", time.Second)
	dryRun, _ := newSpool(t, spool.Config{Dir: dir})
	stop, stopped := make(chan struct{}), make(chan int)
	go func() {
		looked := 0
		for ; ; looked++ {
			select {
			case <-stop:
				stopped <- looked
				return
			default:
			}
			var skip *spool.SkipError // while the run reads it
			if _, err := dryRun.Read(spool.Entry{Name: "x.json"}, noon, nil); err != nil && !errors.As(err, &skip) {
				t.Errorf("the dry run: %v", err)
			}
			if _, err := dryRun.Unfinished(noon); err != nil {
				t.Errorf("status: %v", err)
			}
		}
	}()
	refused := map[string]int{}
	for range 20_000 {
		if why := waitsWhy(t, run, "x.json", noon); why != "" {
			refused[why]++
		}
	}
	close(stop)
	if looked := <-stopped; len(refused) > 0 || looked == 0 {
		t.Errorf("the run left the file alone: %v; the other looked %d times", refused, looked)
	}
}

func TestALeaseThatCannotBeHadProtectsNothingAndKeepsNothing(t *testing.T) {
	for name, errno := range map[string]unix.Errno{
		"another user's file": unix.EACCES, "leases are off": unix.EINVAL, "no memory for one": unix.ENOMEM, "no room for one": unix.ENOLCK,
	} {
		t.Run(name, func(t *testing.T) {
			refusing(t, []refusal{{unix.SYS_FCNTL, errno}, {unix.SYS_FLOCK, errno}}, func(t *testing.T) {
				s, dir := newSpool(t, spool.Config{})
				write(t, dir, "x.json", "{}", time.Second)
				hold(t, dir, "x.json", os.O_WRONLY)
				if got := waitsWhy(t, s, "x.json", noon); got != "" {
					t.Errorf("it is left alone: %q", got)
				}
			})
		})
	}
}

func TestFilesThatAreUnfinishedAreListed(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "closed.json", "{}", 5*time.Second)
	write(t, dir, "old.json", "{}", time.Hour)
	hold(t, dir, "old.json", os.O_WRONLY)
	write(t, dir, "first.json", "", time.Minute)
	write(t, dir, "second.json", "{}", time.Second)
	hold(t, dir, "second.json", os.O_WRONLY)
	write(t, dir, "future.json", "{}", -time.Hour)
	hold(t, dir, "future.json", os.O_WRONLY)
	found, err := s.Unfinished(noon)
	must(t, err)
	var names []string
	for _, e := range found {
		names = append(names, e.Name)
	}
	wantNames(t, "still written", names, "first.json", "second.json")
}

// A producer that goes on appending changes its file again and again. The file waits all the while.
func TestAnUnfinishedFileHasWaitedSinceItWasMade(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	begin := time.Now().Truncate(time.Second)
	write(t, dir, "log.json", "{}", 0)
	now := begin.Add(3 * time.Hour)
	must(t, os.Chtimes(filepath.Join(dir, "log.json"), now, now))
	hold(t, dir, "log.json", os.O_WRONLY)
	found, err := s.Unfinished(now)
	must(t, err)
	if len(found) != 1 || found[0].Since.Before(begin) || found[0].Since.After(begin.Add(time.Hour)) {
		t.Errorf("%v, want the time of about %v, when the file was made", found, begin)
	}
}
