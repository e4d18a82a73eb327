// Package cron_test runs cron-run with a spoolfwd that prints and exits as told. It compares what
// cron would mail, which is everything that is printed. It needs dash, the shell of cron on Debian.
package cron_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// A step is one run: the end of spoolfwd, and whether it is mailed. Later counts from the run
// before.
type step struct {
	later time.Duration
	code  int
	mail  bool
}

func TestMailComesOnlyWhenAPersonIsNeeded(t *testing.T) {
	const minute, day = time.Minute, 24*time.Hour + time.Minute
	tests := []struct {
		name  string
		steps []step
	}{
		{"nothing to do", []step{{0, 0, false}, {minute, 0, false}}},
		{"another run holds the lock", []step{{0, 75, false}, {2 * day, 75, false}}},
		{"ended by a shutdown", []step{{0, 143, false}}},
		{"the listener fails for a while", []step{{0, 69, false}, {59 * minute, 69, false}, {minute, 0, false}, {minute, 69, false}}},
		{"the listener fails for an hour", []step{{0, 69, false}, {61 * minute, 69, true}, {minute, 69, false}, {day, 69, true}, {minute, 0, false}, {minute, 69, false}, {61 * minute, 69, true}}},
		{"payloads are rejected", []step{{0, 65, true}, {minute, 65, false}, {minute, 0, false}, {minute, 65, false}, {day, 65, true}}},
		{"the configuration is wrong", []step{{0, 78, true}, {minute, 78, false}, {day, 78, true}, {minute, 0, false}, {minute, 78, true}}},
		{"killed, and again after a good run", []step{{0, 137, true}, {minute, 137, false}, {minute, 0, false}, {minute, 137, true}}},
		{"the program is gone, and again after a good run", []step{{0, 127, true}, {minute, 126, true}, {minute, 0, false}, {minute, 127, true}, {minute, 126, true}}},
		{"the listener refuses a payload between failures", []step{{0, 69, false}, {40 * minute, 65, true}, {40 * minute, 69, false}, {59 * minute, 69, false}, {2 * minute, 69, true}}},
		{"one trouble after another", []step{{0, 74, true}, {minute, 77, true}, {minute, 74, false}, {minute, 64, true}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCron(t)
			for i, s := range tt.steps {
				c.wait(t, s.later)
				words := "spoolfwd: words of run " + strconv.Itoa(i)
				if s.code == 0 { // the only message of a good run
					words = "spoolfwd: breaker x closed, the listener is back after words of run " + strconv.Itoa(i)
				}
				got := c.run(t, s.code, words)
				if (got != "") != s.mail {
					t.Fatalf("run %d, exit code %d: the mail is %q, want mail %v", i, s.code, got, s.mail)
				}
				if s.mail && !strings.Contains(got, "words of run "+strconv.Itoa(i)) {
					t.Errorf("run %d: the mail %q does not hold what spoolfwd said", i, got)
				}
			}
			if got, want := strings.Count(c.syslog(t), "words of run"), len(tt.steps); got != want {
				t.Errorf("the system log has the words of %d runs, want %d", got, want)
			}
		})
	}
}

// The words are those of cmd/spoolfwd/tell.go. Runs that find nothing to send come in between.
func TestAWarningOfAGoodRunIsMailedOnceADay(t *testing.T) {
	c := newCron(t)
	const words = "spoolfwd: 5 items were delivered by a web page"
	for i, run := range []struct {
		later      time.Duration
		says, want string
	}{
		{0, words, words},
		{time.Minute, "", ""},
		{time.Minute, words, ""},
		{25 * time.Hour, "spoolfwd: breaker x closed, the listener is back", ""},
		{time.Minute, "spoolfwd: 3 rejected payloads were deleted, by age or size: a.json; b.json; and 1 more", ""},
		{time.Minute, "spoolfwd: breaker x closed, the listener is back\n" + words, words},
	} {
		c.wait(t, run.later)
		if got := strings.TrimSpace(c.run(t, 0, run.says)); got != run.want {
			t.Errorf("run %d says %q: the mail is %q, want %q", i, run.says, got, run.want)
		}
	}
	c.state = filepath.Join(c.dir, "none")
	c.program(t, "date", "echo 59")
	if got := c.run(t, 0, words); got != "" {
		t.Errorf("a warning that cannot be remembered is mailed before the hour is full: %q", got)
	}
}

func TestASettingThatIsNotANumberIsMailedOnceADay(t *testing.T) {
	for _, setting := range []string{"SPREAD=abc", "SPREAD=-1", "SPREAD=5s", "SPREAD=08", "SPREAD=99999999999999999999", "PATIENCE=an hour", "QUIET=x"} {
		c := newCron(t)
		c.settings = []string{"SPOOLFWD_CRON_" + setting}
		want := "spoolfwd: SPOOLFWD_CRON_" + setting + " is not a number of up to six digits"
		for _, want := range []string{want, ""} {
			if got := strings.TrimSpace(c.run(t, 78, "spoolfwd: it runs")); got != want {
				t.Errorf("with %s the mail is %q, want %q", setting, got, want)
			}
		}
	}
}

// The words are those of cmd/spoolfwd/lock.go.
func TestALockThatIsHeldForAnHourIsMailedOnceADay(t *testing.T) {
	c := newCron(t)
	const words = "spoolfwd: /x.lock has been locked for more than an hour, by process 7 since 2026-03-01 12:00:00"
	for i, want := range []string{words, "", ""} {
		if got := strings.TrimSpace(c.run(t, 75, words)); got != want {
			t.Errorf("run %d: the mail is %q, want %q", i, got, want)
		}
	}
	c.wait(t, 25*time.Hour)
	if got := c.run(t, 75, words); got == "" {
		t.Error("nothing is mailed on the next day")
	}
}

func TestAFailureWithoutAMessageIsMailed(t *testing.T) {
	if got := newCron(t).run(t, 70, ""); !strings.Contains(got, "70") {
		t.Errorf("spoolfwd failed with exit code 70 and no message, and the mail is %q", got)
	}
}

func TestEachInstanceIsMailedByItself(t *testing.T) {
	c := newCron(t)
	for _, config := range []string{"/etc/spoolfwd/a.toml", "/etc/spoolfwd/b.toml"} {
		if got := c.run(t, 78, "spoolfwd: wrong", "--config", config); got == "" {
			t.Errorf("the failure of %s is not mailed", config)
		}
	}
}

func TestTheMailIsHourlyWhenItCannotBeRemembered(t *testing.T) {
	c := newCron(t)
	c.state = filepath.Join(c.dir, "none")
	for _, code := range []int{65, 69, 78, 137} {
		for now, want := range map[string]bool{"00": true, "01": false, "59": false} {
			c.program(t, "date", "echo "+now)
			got := c.run(t, code, "spoolfwd: words")
			if (got != "") != want {
				t.Errorf("exit code %d at minute %s: the mail is %q, want mail %v", code, now, got, want)
			}
			if want && !strings.Contains(got, "spoolfwd: words") {
				t.Errorf("exit code %d: the mail %q does not hold what spoolfwd said", code, got)
			}
		}
	}
}

// Root may start the job while the state directory is another user's. It must not make or change a
// file behind a link that this user has put there.
func TestAPlantedLinkLeadsNowhere(t *testing.T) {
	for _, s := range []struct {
		code int
		mark string
	}{{69, "failing"}, {78, "mailed-78"}} {
		c := newCron(t)
		c.run(t, s.code, "spoolfwd: words") // makes the mark, whose name holds a checksum
		marks, err := filepath.Glob(filepath.Join(c.state, "cron.*."+s.mark))
		if err != nil || len(marks) != 1 {
			t.Fatalf("exit code %d leaves the marks %q, %v", s.code, marks, err)
		}
		victim := filepath.Join(t.TempDir(), "nologin")
		if err := errors.Join(os.RemoveAll(marks[0]), os.Symlink(victim, marks[0])); err != nil {
			t.Fatal(err)
		}
		c.run(t, s.code, "spoolfwd: words")
		if _, err := os.Lstat(victim); err == nil {
			t.Errorf("exit code %d makes a file behind the link %s", s.code, s.mark)
		}
	}
}

// Earlier versions marked with files.
func TestTheFilesOfEarlierVersionsAreUnderstood(t *testing.T) {
	c := newCron(t)
	c.run(t, 78, "spoolfwd: words")
	marks, err := filepath.Glob(filepath.Join(c.state, "cron.*.mailed-78"))
	if err != nil || len(marks) != 1 {
		t.Fatalf("the marks are %q, %v", marks, err)
	}
	if err := errors.Join(os.Remove(marks[0]), os.WriteFile(marks[0], nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	if got := c.run(t, 78, "spoolfwd: words"); got != "" {
		t.Errorf("the mail is repeated: %q", got)
	}
	c.run(t, 0, "")
	if _, err := os.Lstat(marks[0]); err == nil {
		t.Error("a drained spool leaves the file")
	}
}

// cron stands for the daemon: a directory of programs that come first in the PATH, and the job's
// state.
type cron struct {
	dir, state string
	settings   []string // environment variables
	spread     string
}

func newCron(t *testing.T) *cron {
	t.Helper()
	need.Program(t, "dash")
	c := &cron{dir: t.TempDir(), state: t.TempDir(), spread: "0"}
	c.program(t, "logger", `cat >>"${0%/*}/syslog"`)
	return c
}

// program puts a shell script of that name into the PATH.
func (c *cron) program(t *testing.T, name, script string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func (c *cron) command(args ...string) *exec.Cmd {
	cmd := exec.Command("dash", append([]string{"./cron-run"}, args...)...)
	cmd.Env = append(os.Environ(), "PATH="+c.dir+":"+os.Getenv("PATH"), "SPOOLFWD_CRON_STATE="+c.state, "SPOOLFWD_CRON_SPREAD="+c.spread)
	cmd.Env = append(cmd.Env, c.settings...)
	return cmd
}

// run is one run of the job; it returns what cron would mail.
func (c *cron) run(t *testing.T, code int, says string, args ...string) string {
	t.Helper()
	c.program(t, "spoolfwd", "[ -z '"+says+"' ] || echo '"+says+"' >&2\nexit "+strconv.Itoa(code))
	cmd := c.command(args...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("cron-run exits with %d, spoolfwd did with %d", got, code)
	}
	return string(out)
}

// wait makes the files that remember mail older.
func (c *cron) wait(t *testing.T, d time.Duration) {
	t.Helper()
	entries, err := os.ReadDir(c.state)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		then := info.ModTime().Add(-d)
		if err := os.Chtimes(filepath.Join(c.state, e.Name()), then, then); err != nil {
			t.Fatal(err)
		}
	}
}

func (c *cron) syslog(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.dir, "syslog"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
