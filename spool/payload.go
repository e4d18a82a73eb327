package spool

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// A Payload is a payload file that was read: its bytes, its items, and what is needed to tell
// whether the directory entry is still the same file.
type Payload struct {
	Entry
	// Data is the whole file. Items alias it.
	Data []byte
	// Items are what becomes POST bodies, in file order. An empty array has none.
	Items []Item
	// Array says that Data is a JSON array whose elements are the items.
	Array bool

	id    identity // of the file as it is now: Rewrite changes it
	mode  uint32
	uid   int
	gid   int
	mtime unix.Timespec
	one   [1]Item
}

// Arrived returns since when the file has been in the spool as it is. A payload that was put back
// from rejected/ has kept its modification time, but not that of its last change of status. ok is
// false if the clock cannot have been right then.
func (p *Payload) Arrived() (t time.Time, ok bool) {
	t = later(time.Unix(0, p.ModTime), time.Unix(0, nanoseconds(p.id.ctime)))
	return t, t.Unix() >= earliest
}

// Read reads a payload file and splits it into items. It reads into buf, which grows when it is too
// small, and belongs to the payload until the caller is done with that.
//
// The file is opened without following a link or waiting for a FIFO, and read with one open, one
// fstat, one read and one close. One to three more calls ask whether a file that was changed lately
// is still being written. The error is ErrVanished, a *SkipError for a file that must be left alone
// now, or a *RefuseError for one that can never be sent, together with a Payload that Reject takes.
// Any other error is a fault of this machine.
func (s *Spool) Read(e Entry, now time.Time, buf []byte) (*Payload, error) {
	p := &Payload{Entry: e}
	if err := s.load(p, now, buf); err != nil {
		return p, err
	}
	if what := ownFile(p.Data); what != "" {
		return p, &SkipError{Name: e.Name, Reason: "is " + what + ", not a payload"}
	}
	return p, s.split(p)
}

func (s *Spool) load(p *Payload, now time.Time, buf []byte) error {
	fd, err := s.openPayload(p.Name)
	if err != nil {
		return s.openError(p.Name, err)
	}
	defer unix.Close(fd)

	scanned := p.ModTime
	err = s.look(p, fd, now)
	if err == nil && p.ModTime != scanned && isRecent(p.Entry, now) { // it was changed since the scan
		err = s.look(p, fd, now)
	}
	if err != nil {
		return err
	}
	if s.sticky && s.euid != 0 && s.euid != int(s.ownerUID) && s.euid != p.uid {
		return &SkipError{Name: p.Name, Reason: fmt.Sprintf("belongs to uid %d and could not be removed from a sticky directory", p.uid), Err: unix.EPERM}
	}
	switch {
	case p.Age(now).Abs() < s.cfg.MinAge: // a time in the future must not hold it up for longer than that
		return &SkipError{Name: p.Name, Reason: fmt.Sprintf("was changed less than %v ago", s.cfg.MinAge), Pending: true}
	case p.Size == 0 && isRecent(p.Entry, now):
		return &SkipError{Name: p.Name, Reason: "is empty and may still be written", Pending: true}
	case p.Size == 0:
		return &RefuseError{Name: p.Name, Err: errEmpty}
	case p.Size > s.cfg.MaxFileSize:
		return &RefuseError{Name: p.Name, Err: &TooLargeError{Size: p.Size, Max: s.cfg.MaxFileSize}}
	}

	p.Data = slices.Grow(buf[:0], int(p.Size))[:p.Size]
	for read := 0; read < len(p.Data); {
		n := 0
		err := again(func() (err error) {
			n, err = unix.Read(fd, p.Data[read:])
			return err
		})
		if err != nil {
			return fmt.Errorf("%s: read: %w", s.path(p.Name), err)
		}
		if n == 0 {
			return &SkipError{Name: p.Name, Reason: "shrank while it was being read", Pending: true}
		}
		read += n
	}
	return nil
}

// look fills in what the file system says of an open payload file. Its producer has a say first: a
// file in the middle of being written may look too large or not like JSON.
func (s *Spool) look(p *Payload, fd int, now time.Time) error {
	if isRecent(p.Entry, now) {
		if reason := s.inUse(fd); reason != "" {
			return &SkipError{Name: p.Name, Reason: reason, Pending: true}
		}
	}
	var st unix.Stat_t
	if err := again(func() error { return unix.Fstat(fd, &st) }); err != nil {
		return fmt.Errorf("%s: stat: %w", s.path(p.Name), err)
	}
	if !isRegular(&st) {
		return &SkipError{Name: p.Name, Reason: "is " + kindName(uint32(st.Mode))}
	}
	if s.euid == 0 && st.Nlink > 1 && s.mode&othersWrite != 0 {
		return &SkipError{Name: p.Name, Reason: "has more than one name, and other users may write to the spool"}
	}
	p.id, p.mode, p.uid, p.gid = identify(&st), uint32(st.Mode)&0o7777, int(st.Uid), int(st.Gid)
	p.mtime = st.Mtim
	p.ModTime, p.Size = nanoseconds(st.Mtim), p.id.size
	return nil
}

// openPayload opens a file for reading that a producer has made: any kind of file.
func (s *Spool) openPayload(name string) (fd int, err error) {
	err = again(func() (err error) {
		fd, err = unix.Openat(s.fd, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
		return err
	})
	return fd, err
}

func (s *Spool) openError(name string, err error) error {
	switch {
	case errors.Is(err, unix.ENOENT):
		return ErrVanished
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.EMLINK): // EMLINK: FreeBSD's open(2)
		return &SkipError{Name: name, Reason: "is a symbolic link", Err: err}
	case errors.Is(err, unix.ENXIO), errors.Is(err, unix.EOPNOTSUPP): // FIFO for writing, socket, device
		return &SkipError{Name: name, Reason: "is not a regular file", Err: err}
	case errors.Is(err, unix.EAGAIN): // open(2): another program's lease must be given back first
		return &SkipError{Name: name, Reason: "is held by another program", Err: err, Pending: true}
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return &SkipError{Name: name, Reason: "cannot be read: " + err.Error(), Err: err}
	}
	return fmt.Errorf("%s: open: %w", s.path(name), err)
}
