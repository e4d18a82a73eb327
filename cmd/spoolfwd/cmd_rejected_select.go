package main

import (
	"errors"
	"fmt"
	"path"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// selectRejected returns the rejected payloads that match every given criterion. The caller closes
// the spool, which is nil after an error.
func (s *session) selectRejected() (*spool.Spool, []spool.Rejected, error) {
	for _, glob := range s.operands {
		if _, err := path.Match(glob, ""); err != nil {
			return nil, nil, exit.With(exit.Usage, fmt.Errorf("%q is not a glob pattern", glob))
		}
	}
	sp, err := s.openSpool()
	if err != nil {
		return nil, nil, err
	}
	all, err := sp.Rejected()
	if err == nil {
		err = s.unmatched(all)
	}
	if err != nil {
		sp.Close()
		return nil, nil, err
	}
	var selected []spool.Rejected
	for _, r := range all {
		if s.selects(r) {
			selected = append(selected, r)
		}
	}
	return sp, selected, nil
}

// mustSelect refuses to act on everything when no criterion was given.
func (s *session) mustSelect() error {
	if len(s.operands) == 0 && len(s.cfg.Statuses) == 0 && s.cfg.OlderThan == 0 && !s.cfg.All {
		return exit.With(exit.Usage, errors.New("say which payloads: names, --status, --older-than or --all"))
	}
	return nil
}

// unmatched refuses operands that name nothing. Such an operand is most likely a slip, and a remove
// that did nothing should not look like success.
func (s *session) unmatched(all []spool.Rejected) error {
	var problems []error
	for _, glob := range s.operands {
		found := false
		for _, r := range all {
			found = found || names(glob, r.Name)
		}
		if !found {
			problems = append(problems, exit.With(exit.Usage, fmt.Errorf("no rejected payload is named %q", glob)))
		}
	}
	return errors.Join(problems...)
}

func (s *session) selects(r spool.Rejected) bool {
	if s.cfg.OlderThan > 0 && s.env.Now().Sub(r.Time()) <= s.cfg.OlderThan {
		return false
	}
	if len(s.cfg.Statuses) > 0 && !s.hasStatus(r) {
		return false
	}
	for _, glob := range s.operands {
		if names(glob, r.Name) {
			return true
		}
	}
	return len(s.operands) == 0
}

// names reports whether an operand means the payload: its name, the name as lists print it, or a
// glob.
func names(glob, name string) bool {
	matched, _ := path.Match(glob, name)
	return matched || glob == name || glob == transmit.Printable(name) || glob == spool.EncodeName(name)
}

func (s *session) hasStatus(r spool.Rejected) bool {
	if r.Reason == nil {
		return false
	}
	status := fmt.Sprint(r.Reason.Status)
	for _, want := range s.cfg.Statuses {
		if want == status || want[1:] == "xx" && want[0] == status[0] {
			return true
		}
	}
	return false
}
