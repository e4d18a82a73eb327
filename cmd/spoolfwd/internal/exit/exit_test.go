package exit

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"
	"testing"

	"github.com/bitville-apm/spoolfwd/spool"
)

func TestEveryCodeHasAMeaningAndARank(t *testing.T) {
	var meant []Code
	for _, m := range Meanings() {
		if m.Name == "" || m.Text == "" {
			t.Errorf("%d has no name or no meaning", m.Code)
		}
		meant = append(meant, m.Code)
	}
	if !slices.IsSorted(meant) {
		t.Errorf("the table is not in order: %v", meant)
	}
	ranked := ranks()
	slices.Sort(ranked)
	if !slices.Equal(ranked, meant) {
		t.Errorf("ranked are %v, meant are %v", ranked, meant)
	}
}

func TestTheCodeThatNeedsAPersonMostWins(t *testing.T) {
	for _, c := range []struct {
		codes []Code
		want  Code
	}{
		{nil, OK},
		{[]Code{OK, Busy}, Busy},
		{[]Code{Busy, Left}, Left},
		{[]Code{Left, Rejected}, Rejected},
		{[]Code{Rejected, IO}, IO},
		{[]Code{IO, Permission}, Permission},
		{[]Code{Permission, Config}, Config},
		{[]Code{Terminated, Left}, Terminated},
		{[]Code{Interrupt, Rejected}, Rejected},
	} {
		if got := Worst(c.codes...); got != c.want {
			t.Errorf("of %v, %d wins, want %d", c.codes, got, c.want)
		}
	}
}

func TestEveryErrorHasAnExitCode(t *testing.T) {
	denied := &fs.PathError{Op: "open", Path: "/x", Err: syscall.EACCES}
	for _, c := range []struct {
		name string
		err  error
		want Code
	}{
		{"none", nil, OK},
		{"unknown", errors.New("x"), IO},
		{"permission", fmt.Errorf("cannot: %w", denied), Permission},
		{"not a directory", &fs.PathError{Op: "open", Path: "/x", Err: syscall.ENOTDIR}, Config},
		{"on another file system", &spool.RejectedDirError{Path: "/x", Err: syscall.EXDEV}, Config},
		{"given", With(Left, errors.New("x")), Left},
		{"given and wrapped", fmt.Errorf("y: %w", With(Left, errors.New("x"))), Left},
		{"joined", errors.Join(With(Left, errors.New("x")), denied), Permission},
		{"joined inside a code", With(Usage, errors.Join(errors.New("x"), With(Config, errors.New("y")))), Config},
		{"without words", Silently(Busy), Busy},
		{"SIGTERM", fmt.Errorf("read: %w", Signalled{syscall.SIGTERM}), Terminated},
		{"SIGINT", Signalled{syscall.SIGINT}, Interrupt},
		{"SIGHUP", Signalled{syscall.SIGHUP}, Hangup},
	} {
		if got := Of(c.err); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

func TestSkippedEntriesDecideTheExitCodeByTheirCause(t *testing.T) {
	for _, c := range []struct {
		cause error
		want  Code
	}{
		{nil, OK},
		{syscall.ELOOP, OK},
		{syscall.ENXIO, OK},
		{syscall.EOPNOTSUPP, OK},
		{syscall.EACCES, Permission},
		{syscall.EPERM, Permission},
		{syscall.EIO, IO},
		{fmt.Errorf("stat: %w", syscall.ESTALE), IO},
	} {
		if got := OfSkipped(c.cause); got != c.want {
			t.Errorf("after %v: got %d, want %d", c.cause, got, c.want)
		}
	}
}

func TestEachSplitsJoinedErrorsButNotOneThatWrapsTwo(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	if got := len(Each(errors.Join(a, errors.Join(b, nil)))); got != 2 {
		t.Errorf("two joined errors come apart into %d", got)
	}
	if got := Each(fmt.Errorf("%w, because of %w", a, b)); len(got) != 1 || got[0].Error() != "a, because of b" {
		t.Errorf("one sentence comes apart into %q", got)
	}
}
