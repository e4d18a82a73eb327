package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// recorder writes each request into a directory: NNNNNN.body, the bytes of the body as they were
// sent, then NNNNNN.json, a recording. A reader that sees the second file finds both whole. Numbers
// go on after those that are there already, so that a listener started again adds to the record.
// Safe for concurrent use.
type recorder struct {
	dir  string
	last atomic.Int64
}

// recording is the content of NNNNNN.json.
type recording struct {
	Time    time.Time   `json:"time"`
	Method  string      `json:"method"`
	Path    string      `json:"path"` // with the query
	Host    string      `json:"host"`
	Key     string      `json:"key"` // the Idempotency-Key without its quotes, "" = none
	Status  int         `json:"status"`
	Step    string      `json:"step"` // in the script's words; "reset" and its like have status 0
	Items   int         `json:"items"`
	Headers http.Header `json:"headers"`
}

func newRecorder(dir string) (*recorder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make the record directory: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot read the record directory: %w", err)
	}
	r := &recorder{dir: dir}
	for _, entry := range entries {
		number, _, _ := strings.Cut(entry.Name(), ".")
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			r.last.Store(max(r.last.Load(), n))
		}
	}
	return r, nil
}

func (r *recorder) record(body []byte, rec recording) error {
	base := filepath.Join(r.dir, fmt.Sprintf("%06d", r.last.Add(1)))
	if err := os.WriteFile(base+".body", body, 0o644); err != nil {
		return err
	}
	return replaceFile(base+".json", indented(rec))
}

// replaceFile writes a file under a temporary name beside it and renames it, so that a reader never
// finds half of it. It does not sync: none of these files need to outlive the machine.
func replaceFile(path string, content []byte) error {
	temporary := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".tmp")
	if err := os.WriteFile(temporary, content, 0o644); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		_ = os.Remove(temporary)
		return err
	}
	return nil
}
