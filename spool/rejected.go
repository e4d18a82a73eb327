package spool

import (
	"cmp"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Rejected is a payload in rejected/. It is small, since there may be many.
type Rejected struct {
	Name    string    // in rejected/
	Size    int64     // bytes
	ModTime time.Time // of the payload file, which rejecting does not change
	// Time is when the payload was rejected: what its reason says, otherwise ModTime.
	Time time.Time
	// Status is the HTTP status of the last answer, 0 when there was none.
	Status int
	// Orphan says that only the reason is there: the payload was taken away by hand, or a crash
	// came between the two.
	Orphan bool
}

// Rejected lists rejected/, the longest rejected first. A spool without that directory has rejected
// nothing.
func (s *Spool) Rejected() ([]Rejected, error) {
	dir, err := s.openRejected(false)
	if err != nil {
		return nil, ignoreMissing(err)
	}
	defer unix.Close(dir)
	payloads, notes, err := s.readRejected(dir)
	if err != nil {
		return nil, err
	}
	list := make([]Rejected, 0, len(payloads))
	for _, p := range payloads {
		r := Rejected{Name: p.name, Size: p.size, ModTime: p.modTime, Time: p.modTime}
		if reason := readReason(dir, p.name); reason != nil {
			r.Status = reason.Status
			if !reason.Time.IsZero() {
				r.Time = reason.Time
			}
		}
		list = append(list, r)
	}
	for _, n := range notes {
		if reason := readReason(dir, n.name); n.orphan && reason != nil && reason.File != "" {
			list = append(list, Rejected{Name: n.name, ModTime: n.modTime, Time: reason.Time, Status: reason.Status, Orphan: true})
		}
	}
	slices.SortFunc(list, func(a, b Rejected) int {
		return cmp.Or(a.Time.Compare(b.Time), strings.Compare(a.Name, b.Name))
	})
	return list, nil
}

// CountRejected counts the payloads in rejected/ and their bytes without opening them.
func (s *Spool) CountRejected() (files int, bytes int64, err error) {
	dir, err := s.openRejected(false)
	if err != nil {
		return 0, 0, ignoreMissing(err)
	}
	defer unix.Close(dir)
	err = readDir(dir, func(raw []byte, _ uint8) error {
		name := string(raw)
		var st unix.Stat_t
		if strings.HasPrefix(name, ".") || strings.HasSuffix(name, reasonSuffix) || statAt(dir, name, &st) != nil || !isRegular(&st) {
			return nil
		}
		files++
		bytes += int64(st.Size)
		return nil
	})
	if err != nil {
		err = s.rejectedError("", err)
	}
	return files, bytes, err
}

// Reason returns why a payload was rejected, or nil when the reason is missing or damaged.
func (s *Spool) Reason(r Rejected) *Reason {
	dir, err := s.openRejected(false)
	if err != nil {
		return nil
	}
	defer unix.Close(dir)
	return readReason(dir, r.Name)
}

// OpenRejected opens a rejected payload for reading.
func (s *Spool) OpenRejected(r Rejected) (*os.File, error) {
	dir, err := s.openRejected(false)
	if err != nil {
		return nil, err
	}
	defer unix.Close(dir)
	f, err := openRegular(dir, r.Name)
	if err != nil {
		return nil, s.rejectedFault(r.Name, "open", err)
	}
	return f, nil
}

// RemoveRejected deletes a rejected payload and its reason, because the operator asked for it.
func (s *Spool) RemoveRejected(r Rejected) error {
	dir, err := s.openRejected(false)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	return s.removeRejected(dir, r.Name)
}

// removeRejected removes the payload first. A reason without a payload is debris, a payload without
// its reason is a riddle.
func (s *Spool) removeRejected(dir int, name string) error {
	for _, name := range []string{name, name + reasonSuffix} {
		err := again(func() error { return unix.Unlinkat(dir, name, 0) })
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return s.rejectedFault(name, "remove", err)
		}
	}
	return nil
}

// file is a file in rejected/: a payload, or the note of one. The name is the payload's.
type file struct {
	name    string
	size    int64
	modTime time.Time
	changed time.Time // ctime: the move to rejected/, or anything later
	orphan  bool      // a note whose payload is not there
}

// readRejected reads the directory, in no order, and opens nothing in it.
func (s *Spool) readRejected(dir int) (payloads, notes []file, err error) {
	err = readDir(dir, func(raw []byte, _ uint8) error {
		name := string(raw)
		var st unix.Stat_t
		if strings.HasPrefix(name, ".") || statAt(dir, name, &st) != nil || !isRegular(&st) {
			return nil // gone, or not a payload
		}
		f := file{name: name, size: int64(st.Size), modTime: time.Unix(0, nanoseconds(st.Mtim)), changed: time.Unix(0, nanoseconds(st.Ctim))}
		if payload, ok := strings.CutSuffix(name, reasonSuffix); ok {
			f.name = payload
			notes = append(notes, f)
		} else {
			payloads = append(payloads, f)
		}
		return nil
	})
	if err != nil {
		return nil, nil, s.rejectedError("", err)
	}
	known := make(map[string]bool, len(payloads))
	for _, p := range payloads {
		known[p.name] = true
	}
	for i := range notes {
		notes[i].orphan = !known[notes[i].name]
	}
	return payloads, notes, nil
}

// ignoreMissing forgives that there is no rejected/.
func ignoreMissing(err error) error {
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}

// openRegular opens a file below dir for reading, never anything else.
func openRegular(dir int, name string) (*os.File, error) {
	fd := -1
	err := again(func() (err error) {
		fd, err = unix.Openat(dir, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	if err == nil && !isRegular(&st) {
		err = errors.New("it is " + kindName(uint32(st.Mode)))
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}
