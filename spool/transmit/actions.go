package transmit

import (
	"errors"
	"fmt"
	"strings"
)

// Action is what a request means for its payload and for the breaker.
type Action int8 // a table holds 600 of them

const (
	Kept      Action = iota // stays in the spool, a failure; the zero value, because it loses nothing
	Delivered               // may be removed, a success
	Rejected                // the listener will never take it, a failure
	Aborted                 // stays in the spool, neither: the request was cancelled, or the fault is this machine's

	perItem Action = -1 // only in the table: delivered for a single item, and kept for a batch
)

func (a Action) String() string {
	switch a {
	case Delivered:
		return "delivered"
	case Rejected:
		return "rejected"
	case Aborted:
		return "aborted"
	default:
		return "kept"
	}
}

// multiStatus gives each part of a request a status of its own (RFC 4918 section 13).
const multiStatus = 207

// actions is the verdict table: a final status and what it does to the payload.
//
//	2xx              delivered; of a batch, 207 is kept: each of its items has a status of its own
//	400 413 415 422  rejected: the listener objects to the payload itself
//	all others       kept: the cause may go away, and the payload is still there
//
// An answer with a Retry-After is kept, unless it is delivered. 415 is kept as well when bodies are
// compressed. A listener that cannot read them answers so (RFC 9110 section 15.5.16), and a setting
// is wrong then, not a payload.
type actions [600]Action

func (a *actions) of(status int, batch bool) Action {
	switch {
	case status < 0 || status >= len(a):
		return Kept
	case a[status] != perItem:
		return a[status]
	case batch:
		return Kept
	}
	return Delivered
}

// parseOnStatus returns the table with the exceptions in list: "CODE=ACTION", CODE a status from
// 200 to 599 or a range like 4xx, ACTION one of delivered, reject, keep. A single code beats a
// range. Of two exceptions for one status, the later one wins.
func parseOnStatus(list []string, compressed bool) (actions, error) {
	var table actions
	for code := 200; code < 300; code++ {
		table[code] = Delivered
	}
	table[multiStatus] = perItem
	for _, code := range [...]int{400, 413, 415, 422} {
		table[code] = Rejected
	}
	if compressed {
		table[415] = Kept
	}

	exact := map[int]Action{}
	var problems []error
	for _, entry := range list {
		first, last, action, err := parseException(entry)
		if err != nil {
			problems = append(problems, fmt.Errorf("on-status \"%s\": %w", shortened(entry, 40), err))
			continue
		}
		if first == last {
			exact[first] = action
			continue
		}
		for code := first; code <= last; code++ {
			table[code] = action
		}
	}
	for code, action := range exact {
		table[code] = action
	}
	return table, errors.Join(problems...)
}

func parseException(entry string) (first, last int, action Action, err error) {
	code, name, found := strings.Cut(entry, "=")
	if !found {
		return 0, 0, 0, errors.New("it is not of the form CODE=ACTION, as in 404=reject or 4xx=keep")
	}
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "delivered":
		action = Delivered
	case "reject":
		action = Rejected
	case "keep":
		action = Kept
	default:
		return 0, 0, 0, errors.New("the action is not delivered, reject or keep")
	}
	first, last, err = parseStatusRange(code)
	return first, last, action, err
}

// parseStatusRange reads a status from 200 to 599, or a range of a hundred of them such as 4xx.
func parseStatusRange(code string) (first, last int, err error) {
	code = strings.ToLower(strings.TrimSpace(code))
	digits, isRange := strings.CutSuffix(code, "xx")
	if isRange {
		digits += "00"
	}
	if len(digits) != 3 || !isDigits(digits) {
		return 0, 0, errors.New("the status is not three digits or a range like 4xx")
	}
	first = int(digits[0]-'0')*100 + int(digits[1]-'0')*10 + int(digits[2]-'0')
	if first < 200 || first > 599 {
		return 0, 0, errors.New("the status is not a final one, 200 to 599")
	}
	if isRange {
		return first, first + 99, nil
	}
	return first, first, nil
}
