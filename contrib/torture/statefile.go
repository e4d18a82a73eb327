//go:build linux && (amd64 || arm64)

package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// stateFile is the breaker's state file. Only the first four keys are meant for other programs.
type stateFile struct {
	State     string
	Failures  int
	Last      float64
	Opened    float64
	NotBefore float64
	Tripped   bool
}

func (e *env) statePath() string { return filepath.Join(e.state, "central_listener.state") }

// readState reads the state file as a program does that knows just the four keys, and returns an
// error unless it is complete. Without a state file the breaker is closed. A damaged one that the
// workload itself wrote counts as closed too.
func (e *env) readState() (s stateFile, err error) {
	closed := stateFile{State: "closed"}
	data, err := os.ReadFile(e.statePath())
	if errors.Is(err, fs.ErrNotExist) {
		return closed, nil
	}
	if err != nil {
		return s, err
	}
	if e.badState != "" && string(data) == e.badState {
		return closed, nil
	}
	var state struct {
		State     *string  `json:"state"`
		Failures  *int     `json:"failure_count"`
		Last      *float64 `json:"last_failure_time"`
		Opened    *float64 `json:"opened_at"`
		Really    float64  `json:"really_opened_at"` // where opened_at is later, for readers of four keys
		NotBefore float64  `json:"not_before"`
		Tripped   bool     `json:"tripped"`
	}
	if err := json.Unmarshal(data, &state); err != nil {
		return s, fmt.Errorf("the state file is not complete: %w: %.200q", err, data)
	}
	if state.State == nil || state.Failures == nil || state.Last == nil || state.Opened == nil {
		return s, fmt.Errorf("the state file lacks one of its four keys: %s", data)
	}
	s = stateFile{*state.State, *state.Failures, *state.Last, cmp.Or(state.Really, *state.Opened), state.NotBefore, state.Tripped}
	switch s.State {
	case "closed", "open", "half_open":
		return s, nil
	}
	return s, fmt.Errorf("the state file says %q", s.State)
}

// writeState writes the state file as another program would, with the four keys.
func (e *env) writeState(state string, failures int, openedAt float64) {
	e.must(os.MkdirAll(e.state, 0o755))
	e.stateBefore = openedAt
	text := fmt.Sprintf(`{"state":%q,"failure_count":%d,"last_failure_time":%f,"opened_at":%f}`, state, failures, openedAt, openedAt)
	e.must(os.WriteFile(e.statePath()+".other", []byte(text), 0o644))
	e.must(os.Rename(e.statePath()+".other", e.statePath()))
}
