package main

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
)

// outcome is what became of one drain. tell.go has the words for it.
type outcome struct {
	s              *session
	report         drain.Report
	before, after  breaker.Stats
	started, ended time.Time
	faults         []error       // of this machine, each once
	pruned         spool.Pruned  // rejected payloads deleted for age or size
	signal         error         // that ended the run; nil: none did
	failedFor      time.Duration // how long deliveries had failed, if this run is the first that delivers again
	byHand         bool          // a person is there, who may not have seen the messages of earlier runs
	printed        bool          // the summary is on standard output already
}

// addFaults keeps one of each text.
func (o *outcome) addFaults(errs ...error) {
	for _, e := range exit.Each(errors.Join(errs...)) {
		if !slices.ContainsFunc(o.faults, func(known error) bool { return known.Error() == e.Error() }) {
			o.faults = append(o.faults, e)
		}
	}
}

// code is the exit code for everything that happened.
func (o *outcome) code() exit.Code {
	r := o.report
	code := exit.Worst(exit.Of(o.signal), exit.Of(errors.Join(o.faults...)))
	for _, cause := range r.Skipped.Causes {
		code = exit.Worst(code, exit.OfSkipped(cause))
	}
	if r.Rejected > 0 || r.Expired.Files > 0 {
		code = exit.Worst(code, exit.Rejected)
	}
	if r.Stop == drain.BreakerOpen || r.Failed > 0 {
		code = exit.Worst(code, exit.Left)
	}
	if r.Stop == drain.Limit && r.Left != 0 {
		code = exit.Worst(code, exit.Busy)
	}
	return code
}

func (o *outcome) opened() bool {
	return o.before.State == breaker.Closed && o.after.State != breaker.Closed
}

func (o *outcome) recovered() bool {
	return o.before.State != breaker.Closed && o.after.State == breaker.Closed
}

// end reports the outcome and returns its exit code as an error without words.
func (o *outcome) end() error {
	o.tell()
	if o.s.cfg.JSON {
		o.s.out.JSON(o.asJSON())
	}
	return exit.Silently(o.code())
}

// runSummary is what run and flush print with --json. Sizes are bytes, times seconds; left is -1
// when it was not counted.
type runSummary struct {
	Stop           string         `json:"stop"`
	ExitCode       exit.Code      `json:"exit_code"`
	Started        time.Time      `json:"started"`
	Ended          time.Time      `json:"ended"`
	StartedAt      float64        `json:"started_at"` // the same as started, in Unix seconds
	Duration       float64        `json:"duration"`
	Requests       int            `json:"requests"`
	Delivered      int            `json:"delivered"`
	DeliveredBytes int64          `json:"delivered_bytes"`
	WebPages       int            `json:"web_pages"`
	Failed         int            `json:"failed"`
	Rejected       int            `json:"rejected"`
	Expired        int            `json:"expired"`
	Late           int            `json:"late"`
	Files          int            `json:"files"`
	Removed        int            `json:"removed"`
	Left           int            `json:"left"`
	Unfinished     int            `json:"unfinished"`
	Skipped        int            `json:"skipped"`
	Vanished       int            `json:"vanished"`
	Changed        int            `json:"changed"`
	Statuses       map[string]int `json:"statuses"`
	Errors         []errorSummary `json:"errors"`
	Faults         []string       `json:"faults"`
	Opened         bool           `json:"breaker_opened"`
	Recovered      bool           `json:"breaker_recovered"`
	Breaker        breakerReport  `json:"breaker"`
}

type errorSummary struct {
	Error  string `json:"error"`
	Hint   string `json:"hint,omitempty"`
	Status int    `json:"status,omitempty"`
	Count  int    `json:"count"`
}

func (o *outcome) asJSON() runSummary {
	r := o.report
	sum := runSummary{
		Stop: r.Stop.String(), ExitCode: o.code(),
		Started: o.started, Ended: o.ended, StartedAt: float64(o.started.UnixMicro()) / 1e6, Duration: o.ended.Sub(o.started).Seconds(),
		Requests: r.Requests, Delivered: r.Delivered, DeliveredBytes: r.DeliveredBytes,
		WebPages: r.WebPages, Failed: r.Failed, Rejected: r.Rejected, Expired: r.Expired.Files, Late: r.LateResults,
		Files: r.Files, Removed: r.Removed, Left: r.Left, Unfinished: r.Unfinished, Skipped: r.Skipped.Count, Vanished: r.Vanished, Changed: r.Changed,
		Statuses: map[string]int{}, Errors: []errorSummary{}, Faults: []string{},
		Opened: o.opened(), Recovered: o.recovered(), Breaker: reportOf(o.after),
	}
	for status, n := range r.Statuses {
		key := "none" // no answer came
		if status != 0 {
			key = strconv.Itoa(status)
		}
		sum.Statuses[key] = n
	}
	for _, e := range r.Errors {
		sum.Errors = append(sum.Errors, errorSummary{e.Error.Error(), hintOf(e.Error), e.Status, e.Count})
	}
	for _, f := range o.faults {
		sum.Faults = append(sum.Faults, f.Error())
	}
	return sum
}
