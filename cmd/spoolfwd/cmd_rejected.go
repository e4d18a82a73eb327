package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// rejectedView is a rejected payload as --json prints it.
type rejectedView struct {
	Name    string          `json:"name"` // quoted when it is not UTF-8
	Size    int64           `json:"size"`
	Time    time.Time       `json:"rejected_at"`
	Reason  *spool.Reason   `json:"reason"`
	Payload json.RawMessage `json:"payload,omitempty"` // show; a string when it is not JSON
}

func viewOf(r spool.Rejected) rejectedView {
	return rejectedView{Name: spool.EncodeName(r.Name), Size: r.Size, Time: r.Time(), Reason: r.Reason}
}

func rejectedList(_ context.Context, s *session) error {
	sp, selected, err := s.selectRejected()
	if err != nil {
		return err
	}
	defer sp.Close()
	if s.cfg.JSON {
		views := make([]rejectedView, 0, len(selected))
		for _, r := range selected {
			views = append(views, viewOf(r))
		}
		s.out.JSON(views)
		return nil
	}
	if len(selected) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(s.out, 0, 8, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintln(w, "REJECTED\tSTATUS\tATTEMPTS\tSIZE\tNAME\tERROR")
	for _, r := range selected {
		status, attempts, message := "-", "-", "the reason is missing"
		if r.Reason != nil {
			attempts, message = fmt.Sprint(r.Reason.Attempts), r.Reason.Error
			if r.Reason.Status != 0 {
				status = fmt.Sprint(r.Reason.Status)
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Time().Format(time.DateTime), status, attempts, console.Size(r.Size), transmit.Printable(r.Name), transmit.Printable(message))
	}
	return nil
}

// maxShown bounds how much of a payload show prints to a person.
const maxShown = 4 << 10

func rejectedShow(_ context.Context, s *session) error {
	if err := s.mustSelect(); err != nil {
		return err
	}
	sp, selected, err := s.selectRejected()
	if err != nil {
		return err
	}
	defer sp.Close()
	views := []rejectedView{}
	for i, r := range selected {
		body, err := readRejected(sp, r, s.cfg.Spool.MaxFileSize)
		if err != nil {
			return err
		}
		if s.cfg.JSON {
			v := viewOf(r)
			v.Payload = asJSON(body)
			views = append(views, v)
			continue
		}
		if i > 0 {
			s.out.Line("")
		}
		s.showRejected(r, body)
	}
	if s.cfg.JSON {
		s.out.JSON(views)
	}
	return nil
}

func readRejected(sp *spool.Spool, r spool.Rejected, most int64) ([]byte, error) {
	f, err := sp.OpenRejected(r)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}

// asJSON returns body itself when it is JSON, and otherwise a JSON string of it.
func asJSON(body []byte) json.RawMessage {
	if json.Valid(body) {
		return body
	}
	quoted, _ := json.Marshal(string(body))
	return quoted
}

func (s *session) showRejected(r spool.Rejected, body []byte) {
	s.out.Line("name      %s", r.Name)
	s.out.Line("rejected  %s", r.Time().Format(time.RFC3339))
	if why := r.Reason; why != nil {
		s.out.Line("from      %s", spool.DecodeName(why.File))
		if why.Item > 0 {
			s.out.Line("item      %d", why.Item)
		}
		s.out.Line("attempts  %d", why.Attempts)
		if why.Status != 0 {
			s.out.Line("status    %d", why.Status)
		}
		s.out.Line("error     %s", why.Error)
		if why.Answer != "" {
			s.out.Line("answer    %s", why.Answer)
		}
		if why.Key != "" {
			s.out.Line("key       %s", why.Key)
		}
	}
	shown := string(body[:min(len(body), maxShown)])
	s.out.Line("payload   %s", shown)
	if len(body) > maxShown {
		s.out.Line("          and %d more bytes", r.Size-maxShown)
	}
}

// moved is a payload that retry has put back.
type moved struct {
	Name string `json:"name"` // in rejected/
	As   string `json:"as"`   // in the spool
}

func rejectedRetry(ctx context.Context, s *session) error {
	back := []moved{}
	err := s.eachRejected(ctx, func(sp *spool.Spool, r spool.Rejected) error {
		name, err := sp.Retry(r)
		if err == nil {
			back = append(back, moved{spool.EncodeName(r.Name), spool.EncodeName(name)})
		}
		return err
	})
	return s.tellRejected(err, "retried", back, len(back), "back in the spool")
}

func rejectedRemove(ctx context.Context, s *session) error {
	gone := []string{}
	err := s.eachRejected(ctx, func(sp *spool.Spool, r spool.Rejected) error {
		err := sp.RemoveRejected(r)
		if err == nil {
			gone = append(gone, spool.EncodeName(r.Name))
		}
		return err
	})
	return s.tellRejected(err, "removed", gone, len(gone), "removed")
}

// eachRejected does something irreversible to each selected payload. It goes on after a failure and
// stops after a signal. It holds the lock: a run may be rejecting the same payload again, and would
// lose the reason that it has just written.
func (s *session) eachRejected(ctx context.Context, do func(*spool.Spool, spool.Rejected) error) error {
	if err := s.mustSelect(); err != nil {
		return err
	}
	_, lock, err := s.holdLock()
	if err != nil {
		return err
	}
	defer lock.Release()
	sp, selected, err := s.selectRejected()
	if err != nil {
		return err
	}
	defer sp.Close()
	lock.Sign(s.env.Now())
	var problems []error
	for _, r := range selected {
		if ctx.Err() != nil {
			problems = append(problems, context.Cause(ctx))
			break
		}
		if err := do(sp, r); err != nil && !errors.Is(err, spool.ErrVanished) {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// tellRejected prints what was done, even if some of it failed.
func (s *session) tellRejected(err error, key string, list any, n int, verb string) error {
	switch {
	case s.cfg.JSON && (err == nil || n > 0):
		s.out.JSON(map[string]any{key: list})
	case !s.cfg.JSON && (err == nil || n > 0):
		s.out.Line("%s %s", console.Count(n, "payload"), verb)
	}
	return err
}
