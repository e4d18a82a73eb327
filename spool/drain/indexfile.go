package drain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/natefinch/atomic"
	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/spool"
)

const (
	indexVersion = 1

	// maxIndexBytes is what is read at most. A full index whose files have the
	// longest names, every byte of them escaped as six, takes 35 MiB.
	maxIndexBytes = 64 << 20
)

// indexFile is the index as JSON. File names that are not UTF-8 are quoted.
type indexFile struct {
	Version int                `json:"version"`
	Files   map[string]*record `json:"files"`
	Skipped []string           `json:"skipped,omitempty"` // marks, hexadecimal
}

// OpenIndex reads the index of a run that holds the lock. It always returns a
// usable one: an absent file is an empty index, and so is a damaged one or one of
// a later version, which is kept as <path>.corrupt for a person to see. The error
// says so, once: the next run finds none.
func OpenIndex(path string) (*Index, error) {
	x, err := readIndex(path)
	if err == nil {
		return x, nil
	}
	kept := ""
	if isSpoiled(err) {
		kept = ", it is kept as " + path + ".corrupt"
		if errAside := os.Rename(path, path+".corrupt"); errAside != nil {
			kept = fmt.Sprintf(", and it cannot be set aside: %v", errAside)
		}
	}
	return &Index{path: path}, fmt.Errorf("index %s: %w%s\ndeferred payloads have lost their place at the end of the queue, and what was delivered and is still in the spool is sent again under the same keys", path, err, kept)
}

// PeekIndex reads an index for somebody who only looks: nothing on disk changes,
// now or later.
func PeekIndex(path string) (*Index, error) {
	x, err := readIndex(path)
	if err != nil {
		return &Index{}, fmt.Errorf("index %s: %w\nthe next run begins a new one", path, err)
	}
	x.path = ""
	return x, nil
}

func readIndex(path string) (*Index, error) {
	x := &Index{path: path}
	data, err := readRegular(path)
	if errors.Is(err, fs.ErrNotExist) {
		return x, nil
	}
	if err == nil {
		err = x.decode(data)
	}
	return x, err
}

// isSpoiled tells an index that is bad from one that could not be read this time
// (EIO, EMFILE): only the former is worth setting aside.
func isSpoiled(err error) bool {
	var errno unix.Errno
	return !errors.As(err, &errno) || errors.Is(errno, fs.ErrPermission)
}

func (x *Index) decode(data []byte) error {
	var file indexFile
	if err := json.Unmarshal(data, &file); err != nil {
		return err
	}
	if file.Version != indexVersion {
		return fmt.Errorf("version %d is not %d", file.Version, indexVersion)
	}
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
			x.record(spool.DecodeName(name))
			x.files[spool.DecodeName(name)] = r
			x.items += len(r.Failed)
			x.sent += len(r.Delivered)
		}
	}
	for _, text := range file.Skipped {
		if m, err := strconv.ParseUint(text, 16, 64); err == nil && len(x.skipped) < spool.MaxHashes {
			x.skipped = append(x.skipped, m)
		}
	}
	slices.Sort(x.skipped)
	return nil
}

// Save writes the index if it has changed. An empty index has no file.
func (x *Index) Save() error {
	x.mu.Lock()
	defer x.mu.Unlock()
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
	for _, m := range x.skipped {
		file.Skipped = append(file.Skipped, strconv.FormatUint(m, 16))
	}
	data, err := json.Marshal(file)
	if err != nil {
		return fmt.Errorf("index %s: %w", x.path, err)
	}
	if err := os.MkdirAll(filepath.Dir(x.path), 0o755); err != nil {
		return fmt.Errorf("index %s: %w", x.path, err)
	}
	if err := atomic.WriteFile(x.path, &indexContent{bytes.NewReader(append(data, '\n')), x.path}); err != nil {
		return fmt.Errorf("index %s: save: %w", x.path, errnoOf(err))
	}
	x.dirty = false
	if err := syncDirOf(x.path); err != nil {
		return fmt.Errorf("index %s: sync: %w", x.path, err)
	}
	return nil
}

// errnoOf finds the errno at the root of an error of atomic.WriteFile, which
// wraps with %v and loses it: without it nobody knows a lack of permissions, or
// of room, from a broken disk. The texts of errnos are fixed and end the message.
func errnoOf(err error) error {
	for errno := unix.Errno(1); errno < 256; errno++ {
		if strings.HasSuffix(err.Error(), ": "+errno.Error()) {
			return errno
		}
	}
	return err
}

// sweep removes what a kill in the middle of an earlier Save left behind:
// <index><digits>, the temporary files of atomic.WriteFile. Only the holder of
// the run lock may call it: the temporary of a Save under way looks the same.
func (x *Index) sweep() {
	if x.path == "" {
		return
	}
	left, _ := filepath.Glob(globEscape(x.path) + "[0-9]*")
	for _, name := range left {
		if strings.Trim(strings.TrimPrefix(name, x.path), "0123456789") == "" {
			_ = os.Remove(name)
		}
	}
}

func globEscape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// syncDirOf makes a rename durable, which is the directory's business and not
// the file's (fsync(2), NOTES).
func syncDirOf(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil && !errors.Is(err, unix.EINVAL) {
		return err
	}
	return nil
}

// readRegular reads a bounded regular file, never through a link, never waiting.
func readRegular(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		// Links and sockets fail with errnos that differ among systems.
		if info, errStat := os.Lstat(path); errStat == nil && !info.Mode().IsRegular() {
			return nil, errNotRegular
		}
		return nil, bare(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	data, err := io.ReadAll(io.LimitReader(f, maxIndexBytes+1))
	if err == nil && len(data) > maxIndexBytes {
		err = errors.New("larger than any index")
	}
	return data, bare(err)
}

var errNotRegular = errors.New("not a regular file")

// bare takes the path off an error that will be told with it.
func bare(err error) error {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
