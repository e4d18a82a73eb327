package main

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// selectRejected returns the rejected payloads that every given criterion matches. An operand that
// names nothing is refused. It is most likely a slip, and a remove that did nothing should not look
// like success. The caller closes the spool, which is nil after an error.
func (s *session) selectRejected() (*spool.Spool, []spool.Rejected, error) {
	sp, err := s.openSpool()
	if err != nil {
		return nil, nil, err
	}
	all, err := sp.Rejected()
	operands := newOperands(s.operands, all)
	var selected []spool.Rejected
	for _, r := range all {
		if operands.match(r.Name) && s.selects(r) {
			selected = append(selected, r)
		}
	}
	if err == nil {
		err = operands.unmatched()
	}
	if err != nil {
		sp.Close()
		return nil, nil, err
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

func (s *session) selects(r spool.Rejected) bool {
	if s.cfg.OlderThan > 0 && s.env.Now().Sub(r.Time) <= s.cfg.OlderThan {
		return false
	}
	return len(s.cfg.Statuses) == 0 || s.hasStatus(r)
}

// offerRejected offers the names in rejected/, as lists print them, that the criteria let pass.
func offerRejected(s *session) (offered []candidate) {
	sp, err := s.openSpool()
	if err != nil {
		return nil
	}
	defer sp.Close()
	all, _ := sp.Rejected()
	for _, r := range all {
		if s.selects(r) {
			offered = append(offered, candidate{transmit.Printable(r.Name), "rejected " + r.Time.Format(time.DateTime)})
		}
	}
	return offered
}

// operands are names and globs, and whether each has matched. There may be thousands of names for
// tens of thousands of payloads, so names are looked up.
type operands struct {
	all     []string
	globs   []string // those that name nothing
	matched map[string]bool
}

// newOperands tells names from globs: what names a payload means that one alone, even if it reads
// as a glob.
func newOperands(all []string, rejected []spool.Rejected) *operands {
	o := &operands{all: all, matched: make(map[string]bool, len(all))}
	for _, operand := range all {
		o.matched[operand] = false
	}
	for _, r := range rejected {
		o.matchName(r.Name)
	}
	for _, operand := range all {
		if !o.matched[operand] && strings.ContainsAny(operand, `*?[\`) {
			o.globs = append(o.globs, operand)
		}
	}
	return o
}

// match reports whether an operand means the payload. No operand means every payload.
func (o *operands) match(name string) bool {
	found := len(o.all) == 0 || o.matchName(name)
	for _, glob := range o.globs {
		if ok, _ := path.Match(glob, name); ok {
			o.matched[glob], found = true, true
		}
	}
	return found
}

// matchName looks for the payload's name, and for the name as lists print it.
func (o *operands) matchName(name string) (found bool) {
	for _, spelling := range []string{name, transmit.Printable(name), spool.EncodeName(name)} {
		if _, ok := o.matched[spelling]; ok {
			o.matched[spelling], found = true, true
		}
	}
	return found
}

func (o *operands) unmatched() error {
	var problems []error
	for _, operand := range o.all {
		if o.matched[operand] {
			continue
		}
		problem := fmt.Errorf("no rejected payload is named %q", operand)
		if _, err := path.Match(operand, ""); err != nil {
			problem = fmt.Errorf("%w, and it is not a glob pattern", problem)
		}
		problems = append(problems, exit.With(exit.Usage, problem))
	}
	return errors.Join(problems...)
}

func (s *session) hasStatus(r spool.Rejected) bool {
	status := fmt.Sprint(r.Status)
	for _, want := range s.cfg.Statuses {
		if want == status || want[1:] == "xx" && want[0] == status[0] {
			return true
		}
	}
	return false
}
