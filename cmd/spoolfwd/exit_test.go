package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/bitville-apm/spoolfwd/spool"
)

func TestEveryExitCodeHasAMeaningAndARank(t *testing.T) {
	var meant []exitCode
	for _, m := range exitMeanings() {
		if m.name == "" || m.meaning == "" {
			t.Errorf("%d has no name or no meaning", m.code)
		}
		meant = append(meant, m.code)
	}
	if !slices.IsSorted(meant) {
		t.Errorf("the table is not in order: %v", meant)
	}
	ranked := exitRanks()
	slices.Sort(ranked)
	if !slices.Equal(ranked, meant) {
		t.Errorf("ranked are %v, meant are %v", ranked, meant)
	}
}

// The table is a promise of the binary; its rows are kept by the scripts, which
// run it.
func TestEveryExitCodeIsShownByAScript(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, path := range scripts {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`(?m)^(?:\[.*\] )?(?:exits|ended \w+) ([0-9]+)`).FindAllSubmatch(text, -1) {
			shown[string(match[1])] = true
		}
	}
	for _, m := range exitMeanings() {
		if !shown[strconv.Itoa(int(m.code))] {
			t.Errorf("no script ends with %d, %s", m.code, m.meaning)
		}
	}
}

func TestSeveralExitCodesComeToTheOneThatNeedsAPerson(t *testing.T) {
	for _, c := range []struct {
		codes []exitCode
		want  exitCode
	}{
		{nil, exitOK},
		{[]exitCode{exitOK, exitBusy}, exitBusy},
		{[]exitCode{exitBusy, exitLeft}, exitLeft},
		{[]exitCode{exitLeft, exitRejected}, exitRejected},
		{[]exitCode{exitRejected, exitIO}, exitIO},
		{[]exitCode{exitIO, exitPermission}, exitPermission},
		{[]exitCode{exitPermission, exitConfig}, exitConfig},
		{[]exitCode{exitTerminated, exitLeft}, exitTerminated},
		{[]exitCode{exitInterrupt, exitRejected}, exitRejected},
	} {
		if got := worst(c.codes...); got != c.want {
			t.Errorf("%v come to %d, want %d", c.codes, got, c.want)
		}
	}
}

func TestErrorsFindTheirCode(t *testing.T) {
	denied := &fs.PathError{Op: "open", Path: "/x", Err: syscall.EACCES}
	for _, c := range []struct {
		name string
		err  error
		want exitCode
	}{
		{"none", nil, exitOK},
		{"unknown", errors.New("x"), exitIO},
		{"permission", fmt.Errorf("cannot: %w", denied), exitPermission},
		{"not a directory", &fs.PathError{Op: "open", Path: "/x", Err: syscall.ENOTDIR}, exitConfig},
		{"given", fail(exitLeft, errors.New("x")), exitLeft},
		{"given and wrapped", fmt.Errorf("y: %w", fail(exitLeft, errors.New("x"))), exitLeft},
		{"joined", errors.Join(fail(exitLeft, errors.New("x")), denied), exitPermission},
		{"joined in a failure", fail(exitUsage, errors.Join(errors.New("x"), fail(exitConfig, errors.New("y")))), exitConfig},
		{"signal", fmt.Errorf("read: %w", endedBy{syscall.SIGTERM}), exitTerminated},
		{"signal", endedBy{syscall.SIGINT}, exitInterrupt},
		{"signal", endedBy{syscall.SIGHUP}, exitHangup},
	} {
		if got := codeOf(c.err); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

// A payload that nobody can read stays in the spool for good.
func TestSkippedEntriesFindTheirCode(t *testing.T) {
	for _, c := range []struct {
		cause error
		want  exitCode
	}{
		{nil, exitOK},
		{syscall.ELOOP, exitOK},
		{syscall.ENXIO, exitOK},
		{syscall.EOPNOTSUPP, exitOK},
		{syscall.EACCES, exitPermission},
		{syscall.EPERM, exitPermission},
		{syscall.EIO, exitIO},
		{fmt.Errorf("stat: %w", syscall.ESTALE), exitIO},
	} {
		o := outcome{}
		for i := range 6 { // more than are named
			o.report.Skipped.Add(spool.SkipError{Name: fmt.Sprint(i), Reason: "is a FIFO"})
		}
		o.report.Skipped.Add(spool.SkipError{Name: "x.json", Reason: "cannot be examined", Err: c.cause})
		if got := o.code(); got != c.want {
			t.Errorf("after %v: got %d, want %d", c.cause, got, c.want)
		}
	}
}

func TestFlattenKeepsWordsAroundErrors(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	if got := len(flatten(errors.Join(a, errors.Join(b, nil)))); got != 2 {
		t.Errorf("two joined errors are flattened to %d", got)
	}
	if got := flatten(fmt.Errorf("%w, because of %w", a, b)); len(got) != 1 || got[0].Error() != "a, because of b" {
		t.Errorf("one sentence is flattened to %q", got)
	}
}
