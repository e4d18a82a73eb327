package breaker

import (
	"fmt"
	"strconv"
)

// State is one of the three states of a breaker. The zero value is Closed.
type State int

const (
	Closed   State = iota // requests pass
	Open                  // nothing passes
	HalfOpen              // one probe may pass
)

// String gives the word that the state file uses: "closed", "open" or "half_open".
func (s State) String() string {
	switch s {
	case Closed:
		return "closed"
	case Open:
		return "open"
	case HalfOpen:
		return "half_open"
	}
	return "State(" + strconv.Itoa(int(s)) + ")"
}

// MarshalText writes the word of String, so that JSON output says "half_open" and not 2.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText accepts exactly the three words of String.
func (s *State) UnmarshalText(text []byte) error {
	for _, known := range []State{Closed, Open, HalfOpen} {
		if string(text) == known.String() {
			*s = known
			return nil
		}
	}
	// The text comes from a file that anyone may have written: quoted, and not all of it.
	return fmt.Errorf("unknown state %.40q", text)
}
