package spool

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Rejected is a payload in rejected/.
type Rejected struct {
	Name    string    // in rejected/
	Size    int64     // bytes
	ModTime time.Time // of the payload file, which rejecting does not change
	// Reason is nil when it is missing or damaged.
	Reason *Reason
}

// Time is when the payload was rejected, as well as that is known.
func (r Rejected) Time() time.Time {
	if r.Reason != nil && !r.Reason.Time.IsZero() {
		return r.Reason.Time
	}
	return r.ModTime
}

// Rejected lists rejected/, the longest rejected first. A spool without that
// directory has rejected nothing.
func (s *Spool) Rejected() ([]Rejected, error) {
	var list []Rejected
	err := s.eachRejected(func(r Rejected) { list = append(list, r) })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b Rejected) int {
		if c := a.Time().Compare(b.Time()); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return list, nil
}

// eachRejected calls visit for every payload in rejected/, in no order.
func (s *Spool) eachRejected(visit func(Rejected)) error {
	dir, err := s.openRejected(false)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	err = readDir(dir, func(raw []byte, _ uint8) error {
		name := string(raw)
		if strings.HasPrefix(name, ".") || strings.HasSuffix(name, reasonSuffix) {
			return nil
		}
		var st unix.Stat_t
		if err := statAt(dir, name, &st); err != nil || !isRegular(&st) {
			return nil // gone, or not a payload
		}
		visit(Rejected{Name: name, Size: int64(st.Size), ModTime: time.Unix(0, nanoseconds(st.Mtim)), Reason: readReason(dir, name)})
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", s.path(RejectedDir), err)
	}
	return nil
}

// CountRejected counts the payloads in rejected/ and their bytes without
// opening them.
func (s *Spool) CountRejected() (files int, bytes int64, err error) {
	dir, err := s.openRejected(false)
	if errors.Is(err, unix.ENOENT) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	defer unix.Close(dir)
	err = readDir(dir, func(raw []byte, _ uint8) error {
		var st unix.Stat_t
		name := string(raw)
		if strings.HasPrefix(name, ".") || strings.HasSuffix(name, reasonSuffix) || statAt(dir, name, &st) != nil || !isRegular(&st) {
			return nil
		}
		files++
		bytes += int64(st.Size)
		return nil
	})
	return files, bytes, err
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
