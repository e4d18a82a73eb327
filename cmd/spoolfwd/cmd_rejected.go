package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
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
	Missing bool            `json:"payload_missing,omitempty"` // only the reason is there
	Payload json.RawMessage `json:"payload,omitempty"`         // show; a string when it is not JSON
}

func viewOf(sp *spool.Spool, r spool.Rejected) rejectedView {
	return rejectedView{Name: spool.EncodeName(r.Name), Size: r.Size, Time: r.Time, Reason: sp.Reason(r), Missing: r.Orphan}
}

func rejectedList(_ context.Context, s *session) error {
	sp, selected, err := s.selectRejected()
	if err != nil {
		return err
	}
	defer sp.Close()
	if s.cfg.JSON {
		s.out.JSONList(func(yield func(any) bool) {
			for _, r := range selected {
				yield(viewOf(sp, r))
			}
		})
		return nil
	}
	if len(selected) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(s.out, 0, 8, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintln(w, "REJECTED\tSTATUS\tATTEMPTS\tSIZE\tNAME\tERROR")
	for _, r := range selected {
		status, attempts, size, message := "-", "-", console.Size(r.Size), "the reason is missing"
		if reason := sp.Reason(r); reason != nil {
			attempts, message = fmt.Sprint(reason.Attempts), reason.Error+wordsOf(reason.Answer)
			if reason.Status != 0 {
				status = fmt.Sprint(reason.Status)
			}
		}
		if r.Orphan {
			size, message = "-", "the payload is missing: "+message
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Time.Format(time.DateTime), status, attempts, size, transmit.Printable(r.Name), transmit.Printable(message))
	}
	return nil
}

// maxShown bounds how much of a payload show prints to a person.
const maxShown = 4 << 10

// rejectedShow prints one payload after the other, since all of them may not fit in memory.
func rejectedShow(_ context.Context, s *session) error {
	if err := s.mustSelect(); err != nil {
		return err
	}
	sp, selected, err := s.selectRejected()
	if err != nil {
		return err
	}
	defer sp.Close()
	var problems []error
	each := func(yield func(spool.Rejected, []byte) bool) {
		for _, r := range selected {
			body, err := readRejected(sp, r, s.cfg.Spool.MaxFileSize)
			if err != nil {
				problems = append(problems, err)
			} else {
				yield(r, body)
			}
		}
	}
	if s.cfg.JSON {
		s.out.JSONList(func(yield func(any) bool) {
			for r, body := range each {
				v := viewOf(sp, r)
				if !r.Orphan {
					v.Payload = asJSON(body)
				}
				yield(v)
			}
		})
		return errors.Join(problems...)
	}
	first := true
	for r, body := range each {
		if !first {
			s.out.Line("")
		}
		first = false
		s.showRejected(r, sp.Reason(r), body)
	}
	return errors.Join(problems...)
}

func readRejected(sp *spool.Spool, r spool.Rejected, most int64) ([]byte, error) {
	if r.Orphan {
		return nil, nil
	}
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

func (s *session) showRejected(r spool.Rejected, why *spool.Reason, body []byte) {
	s.out.Line("name      %s", r.Name)
	s.out.Line("rejected  %s", r.Time.Format(time.RFC3339))
	if why != nil {
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
	if r.Orphan {
		s.out.Line("payload   is missing")
		return
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
	err := s.eachRejected(ctx, func(sp *spool.Spool, some []spool.Rejected) []error {
		done, err := sp.Retry(some...)
		problems := []error{err}
		for _, r := range done {
			if r.Err == nil {
				back = append(back, moved{spool.EncodeName(r.Name), spool.EncodeName(r.As)})
			}
			problems = append(problems, r.Err)
		}
		return problems
	})
	return s.tellRejected(err, "retried", back, len(back), "back in the spool")
}

func rejectedRemove(ctx context.Context, s *session) error {
	gone := []string{}
	err := s.eachRejected(ctx, func(sp *spool.Spool, some []spool.Rejected) (problems []error) {
		for _, r := range some {
			err := sp.RemoveRejected(r)
			if err == nil {
				gone = append(gone, spool.EncodeName(r.Name))
			}
			problems = append(problems, err)
		}
		return problems
	})
	return s.tellRejected(err, "removed", gone, len(gone), "removed")
}

// eachRejected does something irreversible to the selected payloads, some of them at a time. It
// goes on after a failure and stops after a signal. It holds the lock: a run may be rejecting the
// same payload again, and would lose the reason that it has just written.
func (s *session) eachRejected(ctx context.Context, do func(*spool.Spool, []spool.Rejected) []error) error {
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
	if err := s.holdSpool(sp); err != nil {
		return err
	}
	lock.Sign(s.env.Now())
	const atATime = 500
	var problems []error
	for some := range slices.Chunk(selected, atATime) {
		if ctx.Err() != nil {
			problems = append(problems, context.Cause(ctx))
			break
		}
		for _, err := range do(sp, some) {
			if err != nil && !errors.Is(err, spool.ErrVanished) {
				problems = append(problems, err)
			}
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
