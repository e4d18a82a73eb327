//go:build linux && (amd64 || arm64)

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// stateFile is the breaker's state file. Only the first four keys are for others.
type stateFile struct {
	State     string
	Failures  int
	Last      float64
	Opened    float64
	NotBefore float64
	Tripped   bool
}

// stateIsWhole reads the breaker's state file as a program does that knows just
// the four keys.
func (w *world) stateIsWhole() error {
	_, err := w.readState()
	return err
}

// readState reads the state file. Without one the breaker is closed, which is
// whole as well; so it is with a bad one of this test's own making.
func (w *world) readState() (s stateFile, err error) {
	closed := stateFile{State: "closed"}
	data, err := os.ReadFile(filepath.Join(w.state, "central_listener.state"))
	if errors.Is(err, fs.ErrNotExist) {
		return closed, nil
	}
	if err != nil {
		return s, err
	}
	if w.spoiled != "" && string(data) == w.spoiled {
		return closed, nil // as it was found
	}
	var state struct {
		State     *string  `json:"state"`
		Failures  *int     `json:"failure_count"`
		Last      *float64 `json:"last_failure_time"`
		Opened    *float64 `json:"opened_at"`
		NotBefore float64  `json:"not_before"`
		Tripped   bool     `json:"tripped"`
	}
	if err := json.Unmarshal(data, &state); err != nil {
		return s, fmt.Errorf("the state file is not whole: %w: %.200q", err, data)
	}
	if state.State == nil || state.Failures == nil || state.Last == nil || state.Opened == nil {
		return s, fmt.Errorf("the state file lacks one of its four keys: %s", data)
	}
	s = stateFile{*state.State, *state.Failures, *state.Last, *state.Opened, state.NotBefore, state.Tripped}
	switch s.State {
	case "closed", "open", "half_open":
		return s, nil
	}
	return s, fmt.Errorf("the state file says %q", s.State)
}

// writeState writes the state file as another program would, with the four keys.
func (w *world) writeState(state string, failures int, openedAt float64) {
	w.must(os.MkdirAll(w.state, 0o755))
	w.stateBefore = openedAt
	path := filepath.Join(w.state, "central_listener.state")
	text := fmt.Sprintf(`{"state":%q,"failure_count":%d,"last_failure_time":%f,"opened_at":%f}`, state, failures, openedAt, openedAt)
	w.must(os.WriteFile(path+".other", []byte(text), 0o644))
	w.must(os.Rename(path+".other", path))
	if w.owner != nil {
		w.must(os.Chown(path, int(w.owner.Uid), int(w.owner.Gid)))
	}
}
