package main

import (
	"errors"
	"strconv"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// runSummary is what run and flush print with --json. Sizes are bytes, times
// seconds; left is -1 when it was not counted.
type runSummary struct {
	Stop           string         `json:"stop"`
	ExitCode       exit.Code      `json:"exit_code"`
	Started        float64        `json:"started_at"`
	Duration       float64        `json:"duration"`
	Requests       int            `json:"requests"`
	Delivered      int            `json:"delivered"`
	DeliveredBytes int64          `json:"delivered_bytes"`
	Failed         int            `json:"failed"`
	Rejected       int            `json:"rejected"`
	Late           int            `json:"late"`
	Files          int            `json:"files"`
	Removed        int            `json:"removed"`
	Left           int            `json:"left"`
	Skipped        int            `json:"skipped"`
	Vanished       int            `json:"vanished"`
	Changed        int            `json:"changed"`
	Statuses       map[string]int `json:"statuses"`
	Errors         []errorSummary `json:"errors"`
	Faults         []string       `json:"faults"`
	Opened         bool           `json:"breaker_opened"`
	Recovered      bool           `json:"breaker_recovered"`
	Breaker        breaker.Stats  `json:"breaker"`
}

type errorSummary struct {
	Error  string `json:"error"`
	Status int    `json:"status,omitempty"`
	Count  int    `json:"count"`
}

func (o *outcome) asJSON() runSummary {
	r := o.report
	sum := runSummary{
		Stop: r.Stop.String(), ExitCode: o.code(),
		Started: float64(o.started.UnixMicro()) / 1e6, Duration: o.ended.Sub(o.started).Seconds(),
		Requests: r.Requests, Delivered: r.Delivered, DeliveredBytes: r.DeliveredBytes,
		Failed: r.Failed, Rejected: r.Rejected, Late: r.Late,
		Files: r.Files, Removed: r.Removed, Left: r.Left, Skipped: r.Skipped.Count, Vanished: r.Vanished, Changed: r.Changed,
		Statuses: map[string]int{}, Errors: []errorSummary{}, Faults: []string{},
		Opened: o.opened(), Recovered: o.recovered(), Breaker: o.after,
	}
	for status, n := range r.Statuses {
		key := "none" // no answer came
		if status != 0 {
			key = strconv.Itoa(status)
		}
		sum.Statuses[key] = n
	}
	for _, e := range r.Errors {
		sum.Errors = append(sum.Errors, errorSummary{e.Error.Error(), e.Status, e.Count})
	}
	for _, f := range o.faults {
		sum.Faults = append(sum.Faults, f.Error())
	}
	return sum
}

// end tells the outcome and returns its code as an error without words.
func (o *outcome) end() error {
	o.tell()
	if o.s.cfg.JSON {
		o.s.out.JSON(o.asJSON())
	}
	return exit.Silently(o.code())
}

// isHeld reports whether another process holds the lock.
func isHeld(err error) bool {
	var held *heldError
	return errors.As(err, &held)
}
