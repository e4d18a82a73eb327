package main

import (
	"strconv"
	"strings"
	"time"
)

// kind is what a step does with a request that has been read whole.
type kind int

const (
	kindAnswer  kind = iota // answer with a status
	kindHang                // stay silent until the client leaves
	kindReset               // end the connection with a TCP reset
	kindClose               // end the connection in good order, without an answer
	kindPartial             // write half of a 200, then end the connection
	kindCount
)

// faultNames are the words of the script for the kinds that give no answer.
var faultNames = [kindCount]string{kindHang: "hang", kindReset: "reset", kindClose: "close", kindPartial: "partial"}

// step is one instruction of a script.
type step struct {
	kind   kind
	status int           // 100..599 for kindAnswer, otherwise 0
	repeat int           // how many requests it serves, at least 1
	hold   time.Duration // kindHang: how long; 0 = until the client leaves
	delay  time.Duration // waited before anything else, on top of --latency

	// For kindAnswer only.
	retryAfter string        // sent as it is, or "@DUR": an HTTP-date that far after the Date header
	location   string        // Location header
	headers    []header      // in order; they replace what would be sent by default
	body       *string       // nil = a short JSON object that names the status
	date       time.Duration // how far the Date header is off
}

type header struct{ name, value string }

// answerWith is the step for an answer that no script asked for.
func answerWith(status int) step { return step{status: status, repeat: 1} }

// label is the step's key in the counts by status.
func (s step) label() string { return labelOf(s.code()) }

// code is the step's place in the counts by status: its status, or its kind where there is none
// (kinds are smaller than any status).
func (s step) code() int {
	if s.kind == kindAnswer {
		return s.status
	}
	return int(s.kind)
}

func labelOf(code int) string {
	if code < int(kindCount) {
		return faultNames[code]
	}
	return strconv.Itoa(code)
}

// delivers reports whether a request that gets this step has been delivered.
func (s step) delivers() bool { return s.kind == kindAnswer && s.status/100 == 2 }

// String gives the step as parseStep reads it.
func (s step) String() string {
	var b strings.Builder
	b.WriteString(s.label())
	if s.repeat > 1 {
		b.WriteString("x" + strconv.Itoa(s.repeat))
	}
	sep := ":"
	option := func(text string) {
		b.WriteString(sep + escape(text))
		sep = ";"
	}
	if s.hold > 0 {
		option(s.hold.String())
	}
	if s.retryAfter != "" {
		option("retry-after=" + s.retryAfter)
	}
	if s.location != "" {
		option("location=" + s.location)
	}
	for _, h := range s.headers {
		option("header=" + h.name + "=" + h.value)
	}
	if s.body != nil {
		option("body=" + *s.body)
	}
	if s.delay > 0 {
		option("delay=" + s.delay.String())
	}
	if s.date != 0 {
		option("date=" + s.date.String())
	}
	return b.String()
}
