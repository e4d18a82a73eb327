package breaker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// decode is strict about the state and about types, because a wrong guess lets requests through or
// holds them back. It is lenient where programs that write this file differ: times may be null,
// zero or missing, and the count may be missing or have a zero fraction. The error names the cause
// in a few words, and not the file.
func decode(data []byte) (snapshot, unknownKeys, error) {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return snapshot{}, nil, errors.New("empty")
	case data[0] == 0: // what some file systems make of a file after a power cut
		return snapshot{}, nil, errors.New("begins with NUL bytes")
	}
	var keys unknownKeys
	if err := json.Unmarshal(data, &keys); err != nil {
		if typeErr := (*json.UnmarshalTypeError)(nil); errors.As(err, &typeErr) {
			return snapshot{}, nil, errors.New("not a JSON object")
		}
		return snapshot{}, nil, fmt.Errorf("not valid JSON: %w", err)
	}
	if keys == nil { // null
		return snapshot{}, nil, errors.New("not a JSON object")
	}

	var s snapshot
	var really, shown micros
	for _, field := range []struct {
		name string
		set  func(value string) error
	}{
		{"state", s.setState},
		{"failure_count", func(v string) error { return setCount(&s.failures, v) }},
		{"last_failure_time", s.lastFailure.set},
		{"opened_at", s.openedAt.set},
		{"really_opened_at", really.set},
		{"shown_opened_at", shown.set},
		{"not_before", s.notBefore.set},
		{"tripped", s.setTripped},
		{"open_since", s.openSince.set},
		{"last_failure_cause", s.setCause},
		{"failed_probes", func(v string) error { return setCount(&s.failedProbes, v) }},
		{"version", func(string) error { return nil }}, // no version changes what the other keys mean
	} {
		if err := field.set(string(keys[field.name])); err != nil {
			return snapshot{}, nil, fmt.Errorf("%s %w", field.name, err)
		}
		delete(keys, field.name)
	}
	if really != 0 && shown == s.openedAt { // otherwise another program has opened the breaker since
		s.openedAt = really
	}
	if s.state != Open {
		// A program that knows just the four keys left them. They must not count at the next
		// opening.
		s.notBefore, s.tripped = 0, false
	}
	if s.failures == 0 {
		s.cause = "" // left likewise
	}
	switch {
	case s.state == Closed:
		s.openSince, s.failedProbes = 0, 0 // left likewise
	case s.openSince == 0, s.openedAt != 0 && s.openSince > s.openedAt:
		s.openSince = s.openedAt // opened by such a program
	}
	return s, keys, nil
}

// The setters take a valid JSON value, or "" for a key that is missing.

func (s *snapshot) setState(value string) error {
	if value == "" {
		return errMissing
	}
	var word string
	if json.Unmarshal([]byte(value), &word) != nil || s.state.UnmarshalText([]byte(word)) != nil {
		return notA("known state", value)
	}
	return nil
}

func setCount(count *int, value string) error {
	if value == "" {
		return nil
	}
	f, isNumber := number(value)
	if !isNumber || f != math.Trunc(f) || f < 0 || f > maxCount {
		return notA("count", value)
	}
	*count = int(f)
	return nil
}

func (m *micros) set(value string) error {
	if value == "" || value == "null" {
		return nil
	}
	f, isNumber := number(value)
	if !isNumber {
		return notA("time", value)
	}
	*m = microsFromSeconds(f)
	return nil
}

func (s *snapshot) setTripped(value string) error {
	if value == "" {
		return nil
	}
	if value != "true" && value != "false" {
		return notA("truth value", value)
	}
	s.tripped = value == "true"
	return nil
}

// setCause never fails: the words are only for people.
func (s *snapshot) setCause(value string) error {
	var words string
	if json.Unmarshal([]byte(value), &words) == nil && len(words) <= maxCause {
		s.cause = words
	}
	return nil
}

var errMissing = errors.New("is missing")

// notA quotes the value, since anyone may have written it, and not all of it.
func notA(kind, value string) error { return fmt.Errorf("is not a %s: %.40q", kind, value) }

// number reads a JSON number. One too large for a float64 is infinite.
func number(value string) (f float64, isNumber bool) {
	if c := value[0]; c != '-' && (c < '0' || c > '9') {
		return 0, false
	}
	f, _ = strconv.ParseFloat(value, 64)
	return f, true
}
