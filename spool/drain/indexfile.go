package drain

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/bitville-apm/spoolfwd/breaker/statefile"
	"github.com/bitville-apm/spoolfwd/spool"
)

const (
	indexVersion = 1

	// maxIndexBytes is what is read at most. A full index whose files have the longest names, every
	// byte of them escaped as six, takes 35 MiB.
	maxIndexBytes = 64 << 20
)

func indexAt(path string) statefile.File {
	return statefile.File{Path: path, MaxSize: maxIndexBytes}
}

// IndexPath is where the index of a breaker's runs belongs: beside its state.
func IndexPath(stateDir, name string) string { return filepath.Join(stateDir, name+".index") }

// indexFile is the index as JSON. File names that are not UTF-8 are quoted.
type indexFile struct {
	Version int                `json:"version"`
	Files   map[string]*record `json:"files"`
	Skipped []string           `json:"skipped,omitempty"` // hashes, hexadecimal
}

// OpenIndex reads the index of a run that holds the lock. It always returns a usable one: an absent
// file is an empty index, and so is a damaged one or one of a later version, which is kept as
// <path>.corrupt for a person to see. The error says so, once: the next run finds none.
func OpenIndex(path string) (*Index, error) {
	x, err := readIndex(path)
	if err == nil {
		return x, nil
	}
	if statefile.IsSpoiled(err) {
		if keptAs, errAside := indexAt(path).SetAside(); errAside != nil {
			err = fmt.Errorf("%w, and it cannot be set aside: %v", err, errAside)
		} else {
			err = fmt.Errorf("%w, it is kept as %s", err, keptAs)
		}
	}
	return &Index{path: path}, &IndexError{Path: path, Err: err}
}

// PeekIndex reads an index for somebody who only looks: nothing on disk changes, now or later.
func PeekIndex(path string) (*Index, error) {
	x, err := readIndex(path)
	if err != nil {
		return &Index{}, &IndexError{Path: path, Err: err, Peeked: true}
	}
	x.path = ""
	return x, nil
}

// An IndexError says why an index could not be read. Its content is lost: deferred payloads have
// lost their place at the end of the queue, and delivered items that are still in the spool are
// sent again under the same keys.
type IndexError struct {
	Path   string
	Err    error
	Peeked bool // the file was left as it is, and the next run will find the same
}

func (e *IndexError) Error() string { return fmt.Sprintf("index %s: %v", e.Path, e.Err) }
func (e *IndexError) Unwrap() error { return e.Err }

func readIndex(path string) (*Index, error) {
	data, err := indexAt(path).Read()
	if errors.Is(err, fs.ErrNotExist) {
		return &Index{path: path}, nil
	}
	if err != nil {
		return nil, err
	}
	return decodeIndex(path, data)
}

func decodeIndex(path string, data []byte) (*Index, error) {
	var file indexFile
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	if file.Version != indexVersion {
		return nil, fmt.Errorf("version %d is not %d", file.Version, indexVersion)
	}
	x := &Index{path: path, files: map[string]*record{}}
	for name, r := range file.Files {
		if r == nil {
			continue
		}
		for key, a := range r.Failed {
			if a.Count < 1 || a.Counted < 0 {
				delete(r.Failed, key)
			}
		}
		if len(r.Failed) > 0 || len(r.Delivered) > 0 {
			x.files[spool.DecodeName(name)] = r
			x.deferred += len(r.Failed)
			x.delivered += len(r.Delivered)
		}
	}
	for _, text := range file.Skipped {
		if h, err := strconv.ParseUint(text, 16, 64); err == nil && len(x.skipped) < spool.MaxHashes {
			x.skipped = append(x.skipped, h)
		}
	}
	slices.Sort(x.skipped)
	return x, nil
}

// Save writes the index if it has changed. An empty index has no file.
func (x *Index) Save() error {
	if !x.dirty || x.path == "" {
		return nil
	}
	if len(x.files) == 0 && len(x.skipped) == 0 {
		if err := os.Remove(x.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("index %s: remove: %w", x.path, err)
		}
		x.dirty = false
		return nil
	}
	file := indexFile{Version: indexVersion, Files: make(map[string]*record, len(x.files))}
	for name, r := range x.files {
		file.Files[spool.EncodeName(name)] = r
	}
	for _, h := range x.skipped {
		file.Skipped = append(file.Skipped, strconv.FormatUint(h, 16))
	}
	data, err := json.Marshal(file)
	if err != nil {
		return fmt.Errorf("index %s: %w", x.path, err)
	}
	if err := indexAt(x.path).Write(append(statefile.EscapeJSON(data), '\n')); err != nil {
		return fmt.Errorf("index %s: save: %w", x.path, err)
	}
	x.dirty = false
	return nil
}

// sweep removes what a kill in the middle of an earlier Save left behind. Only the holder of the
// run lock may call it.
func (x *Index) sweep() {
	if x.path != "" {
		indexAt(x.path).Sweep()
	}
}
