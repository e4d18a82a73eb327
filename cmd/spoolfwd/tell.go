package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
)

// tell writes what a person should know: changes of the breaker, and each distinct error once. A
// state that lasts since the last run (a listener that stays away, a stray link in the spool) is
// not news. It is told only with -v, and to a person who looks on.
func (o *outcome) tell() {
	log, r := o.s.log, o.report
	level := slog.LevelError
	if !o.byHand && o.before.State != breaker.Closed && o.after.State != breaker.Closed {
		level = slog.LevelInfo
	}
	errs := o.tellBreaker()
	for _, e := range errs {
		logError(log, level, fmt.Errorf("%s failed: %w", console.Count(e.Count, "request"), e.Error), "event", "failed", "status", e.Status, "count", e.Count)
	}
	if r.WebPages > 0 {
		log.Warn(fmt.Sprintf("%s delivered by a web page, which may be a captive portal's or another site's", console.Were(r.WebPages, "item")),
			"event", "web_page", "count", r.WebPages,
			console.HintKey, "check --url; with --expect-header, only answers with a header of the listener's deliver")
	}
	if r.Rejected > 0 {
		log.Warn(o.rejectedText(), "event", "rejected", "count", r.Rejected, console.HintKey, o.rejectedHint())
	}
	if x := r.Expired; x.Files > 0 {
		log.Warn(fmt.Sprintf("%s moved to rejected/, by age or size of the spool: %s", console.Were(x.Files, "payload file"), listed(x.Names, x.Files)),
			"event", "expired", "count", x.Files, "bytes", x.Bytes, console.HintKey, "see 'spoolfwd rejected list'")
	}
	if r.Skipped.Count > 0 {
		level := slog.LevelInfo
		if r.NewlySkipped > 0 || o.byHand {
			level = slog.LevelWarn
		}
		attrs := []any{"event", "skipped", "count", r.Skipped.Count}
		if hint := o.skippedHint(); hint != "" {
			attrs = append(attrs, console.HintKey, hint)
		}
		log.Log(context.Background(), level, o.skippedText(), attrs...)
	}
	for _, f := range o.faults {
		logError(log, slog.LevelError, f, "event", "fault")
	}
	if o.signal != nil {
		log.Info(o.signal.Error(), "event", "signal")
	}
	o.tellPruned()
	if o.printed {
		return
	}
	log.Info(o.summary(), "event", "ended", "delivered", r.Delivered, "failed", r.Failed, "left", r.Left)
}

// tellPruned says what was deleted without a 2xx. The operator has set the limits, so it is not a
// warning; cron-run knows these words, and mails nothing.
func (o *outcome) tellPruned() {
	p := o.pruned
	if p.Files > 0 {
		o.s.log.Log(context.Background(), console.LevelNotice, fmt.Sprintf("%s deleted, by age or size: %s", console.Were(p.Files, "rejected payload"), listed(p.Names, p.Files)),
			"event", "pruned", "count", p.Files, "bytes", p.Bytes)
	}
	if p.ClockJumped != 0 {
		way := "forward"
		if p.ClockJumped < 0 {
			way = "back"
		}
		o.s.log.Warn(fmt.Sprintf("the clock went %s by %s since rejected payloads were last looked at: in case it was moved, none is deleted for a day", way, console.Duration(p.ClockJumped.Abs())),
			"event", "clock_jumped", "seconds", p.ClockJumped.Seconds())
	}
}

// rejectedText names the first of what was rejected.
func (o *outcome) rejectedText() string {
	r := o.report
	var named []string
	for _, one := range r.Rejections {
		named = append(named, rejectionText(one))
	}
	return fmt.Sprintf("%s rejected: %s", console.Were(r.Rejected, "payload"), listed(named, r.Rejected))
}

func rejectionText(r drain.Rejection) string {
	name := itemName(r.Name, r.Item)
	switch {
	case r.Attempts == 0:
		return name + " " + r.Why
	case r.Status == 0:
		return fmt.Sprintf("%s got no answer in %s", name, console.Count(r.Attempts, "attempt"))
	case r.Attempts > 1:
		return fmt.Sprintf("%s was answered %d at attempt %d%s", name, r.Status, r.Attempts, wordsOf(r.Answer))
	}
	return fmt.Sprintf("%s was answered %d%s", name, r.Status, wordsOf(r.Answer))
}

// maxWords is how many bytes of a listener's own words a line holds.
const maxWords = 200

// wordsOf returns the beginning of an answer as the end of a sentence, or "". Markup is for
// browsers, and begins without saying anything.
func wordsOf(answer string) string {
	words := strings.Join(strings.Fields(answer), " ")
	if words == "" || words[0] == '<' {
		return ""
	}
	if len(words) > maxWords {
		end := maxWords
		for end > 0 && !utf8.RuneStart(words[end]) {
			end--
		}
		words = words[:end] + "..."
	}
	return ": " + words
}

// itemName names a payload file, or one item of an array file.
func itemName(file string, item int) string {
	if item > 0 {
		return fmt.Sprintf("item %d of %s", item, spool.EncodeName(file))
	}
	return spool.EncodeName(file)
}

// listed joins the named ones and counts the others.
func listed(named []string, all int) string {
	text := strings.Join(named, "; ")
	if more := all - len(named); more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

// skippedText names the first of what was skipped.
func (o *outcome) skippedText() string {
	skipped := o.report.Skipped
	var named []string
	for _, e := range skipped.Samples {
		named = append(named, e.Error())
	}
	return fmt.Sprintf("%s skipped: %s", console.Were(skipped.Count, "entry"), listed(named, skipped.Count))
}

// skippedHint is the hint of the first entry that has one.
func (o *outcome) skippedHint() string {
	for _, e := range o.report.Skipped.Samples {
		err := &fs.PathError{Path: filepath.Join(o.s.cfg.Spool.Dir, e.Name), Err: e.Err}
		remedy := remedyOf(err)
		// Who owns the file may not be able to use the spool.
		if st, errStat := statOf(err.Path); errStat == nil && int(st.Uid) != os.Geteuid() && errors.Is(err, fs.ErrPermission) {
			remedy = cmp.Or(remedy, "let its producer run as this user too, or give this user the right to read it")
		}
		if hint := deniedHint(err, remedy); hint != "" {
			return hint
		}
	}
	return ""
}

// summary is one line about the whole run.
func (o *outcome) summary() string {
	r := o.report
	text := fmt.Sprintf("%s delivered (%s) in %s", console.Count(r.Delivered, "item"), console.Size(r.DeliveredBytes), console.Duration(o.ended.Sub(o.started)))
	if r.Failed > 0 {
		text += fmt.Sprintf(", %d failed", r.Failed)
	}
	if r.Rejected > 0 {
		text += fmt.Sprintf(", %d rejected", r.Rejected)
	}
	if r.Expired.Files > 0 {
		text += fmt.Sprintf(", %d expired", r.Expired.Files)
	}
	switch {
	case r.Left > 0:
		text += fmt.Sprintf("; %s left", console.Count(r.Left, "payload file"))
		if r.Unfinished > 0 {
			text += fmt.Sprintf(", %d unfinished", r.Unfinished)
		}
	case r.Left == 0:
		text += "; the spool is empty"
	}
	switch r.Stop {
	case drain.BreakerOpen:
		text += "; the breaker is open"
		if o.after.NextProbeAt > 0 {
			text += ", next probe in " + console.Duration(console.Time(o.after.NextProbeAt).Sub(o.ended))
		}
	case drain.Limit:
		text += "; a limit ended the run"
	}
	return text
}
