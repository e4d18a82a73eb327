package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// RejectedDir is the directory inside the spool that holds rejected payloads.
const RejectedDir = "rejected"

const reasonSuffix = ".reason.json"

// A Reason stands beside every rejected payload, as <name>.reason.json.
type Reason struct {
	// File is the payload file's name in the spool; quoted as by
	// strconv.Quote when it is not UTF-8.
	File string `json:"file"`
	// Item is the item's number in an array file, from 1; 0 for a whole file.
	Item int `json:"item,omitempty"`
	// Key is the idempotency key that the payload was, or would have been,
	// sent under. Reject and RejectItem set it. A file refused unread has none.
	Key      string    `json:"idempotency_key,omitempty"`
	Time     time.Time `json:"time"`
	Attempts int       `json:"attempts"`
	// First is the time of the first failed attempt, when there were several.
	First *time.Time `json:"first_attempt,omitempty"`
	// Status is the HTTP status of the last answer, 0 when there was none.
	Status int    `json:"status,omitempty"`
	Answer string `json:"answer,omitempty"` // its first 2 KiB
	Error  string `json:"error"`
}

// Reject moves a whole payload file to rejected/. ErrVanished and ErrChanged
// mean that the entry is no longer the file that was read, and was left alone.
func (s *Spool) Reject(p *Payload, r Reason) error {
	if err := s.Unchanged(p); err != nil { // then rejected/ need not be touched at all
		return err
	}
	dir, err := s.openRejected(true)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	r.File, r.Key = EncodeName(p.Name), ""
	if len(p.Items) == 1 && !p.Array {
		r.Key = p.Items[0].Key
	}
	for n := 1; ; n++ {
		name, err := s.vacant(dir, p.Name, &n)
		if err != nil {
			return err
		}
		// The reason first: a crash in between leaves a reason without a
		// payload, which the next rejection replaces, and never a payload
		// about which nobody knows anything.
		if err := s.writeReason(dir, name, r); err != nil {
			return err
		}
		err = s.moveOut(p, dir, name)
		if errors.Is(err, unix.EEXIST) {
			continue
		}
		if err != nil {
			unix.Unlinkat(dir, name+reasonSuffix, 0)
			return err
		}
		return s.syncRejected(dir)
	}
}

// moveOut moves a payload file to rejected/. The last look comes right before
// the step that counts: writing the reason to the disk takes long enough for a
// producer to replace the file.
func (s *Spool) moveOut(p *Payload, dir int, name string) error {
	if err := s.Unchanged(p); err != nil {
		return err
	}
	err := renameNew(s.fd, p.Name, dir, name)
	if errors.Is(err, unix.ENOENT) {
		return ErrVanished
	}
	if err != nil {
		return fmt.Errorf("%s: move to %s/: %w", s.path(p.Name), RejectedDir, err)
	}
	return nil
}

// RejectItem copies one item of a batch to rejected/, as a file of its own that
// carries the item's key in its name. It is durable on return, so that the
// caller may cut the item out of its file. Rejecting an item again, as after a
// crash before that cut, finds the copy and renews the reason.
func (s *Spool) RejectItem(p *Payload, index int, r Reason) error {
	dir, err := s.openRejected(true)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	item := p.Items[index]
	r.File, r.Item, r.Key = EncodeName(p.Name), index+1, item.Key
	name := fitName(withKey(p.Name, item.Key))
	if err := s.writeReason(dir, name, r); err != nil {
		return err
	}
	temp, err := writeTemp(s.fd, TempPrefix, 0o600, item.Body, likeOriginal(s.fd, p))
	if err != nil {
		return fmt.Errorf("%s: copy an item to %s/: %w", s.path(p.Name), RejectedDir, err)
	}
	err = renameNew(s.fd, temp, dir, name)
	if err != nil {
		unix.Unlinkat(s.fd, temp, 0)
	}
	// The key is a hash over the item's bytes: what has this name has them too.
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("%s: copy an item to %s/: %w", s.path(p.Name), RejectedDir, err)
	}
	return s.syncRejected(dir)
}

// openRejected opens rejected/, which must be a directory of its own and no
// link to one, and on the spool's file system for renames to work.
func (s *Spool) openRejected(create bool) (fd int, err error) {
	created := false
	if create {
		err := again(func() error { return unix.Mkdirat(s.fd, RejectedDir, 0o700) })
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return -1, fmt.Errorf("%s: create: %w", s.path(RejectedDir), err)
		}
		created = err == nil
	}
	fd, err = openDir(s.fd, RejectedDir, unix.O_NOFOLLOW)
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.EMLINK) {
		return -1, &RejectedDirError{s.path(RejectedDir), unix.ENOTDIR}
	}
	if err != nil {
		return -1, &RejectedDirError{s.path(RejectedDir), err}
	}
	if created {
		s.handOver(fd)
	}
	return fd, nil
}

// vacant finds a name in rejected/ that no payload has, beginning with the nth
// candidate.
func (s *Spool) vacant(dir int, name string, n *int) (string, error) {
	for ; ; *n++ {
		candidate := fitName(numbered(name, *n))
		if strings.HasSuffix(candidate, reasonSuffix) {
			continue // a payload under a reason's name would be taken for one, and replaced
		}
		var st unix.Stat_t
		switch err := statAt(dir, candidate, &st); {
		case errors.Is(err, unix.ENOENT):
			return candidate, nil
		case err != nil:
			return "", fmt.Errorf("%s/%s: stat: %w", s.path(RejectedDir), candidate, err)
		}
	}
}

func (s *Spool) writeReason(dir int, name string, r Reason) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("%s/%s: %w", s.path(RejectedDir), name+reasonSuffix, err)
	}
	// Temporaries are made in the spool, where the next scan finds what a crash
	// leaves behind.
	temp, err := writeTemp(s.fd, TempPrefix, 0o600, append(data, '\n'), func(fd int, _ string) error {
		s.handOver(fd)
		return nil
	})
	if err == nil {
		if err = again(func() error { return unix.Renameat(s.fd, temp, dir, name+reasonSuffix) }); err != nil {
			unix.Unlinkat(s.fd, temp, 0)
		}
	}
	if err != nil {
		return fmt.Errorf("%s/%s: %w", s.path(RejectedDir), name+reasonSuffix, err)
	}
	return nil
}

// syncRejected makes a rejection durable on both sides.
func (s *Spool) syncRejected(dir int) error {
	if err := syncDir(dir); err != nil {
		return fmt.Errorf("%s: sync: %w", s.path(RejectedDir), err)
	}
	return s.Sync()
}

// numbered is the nth choice for a name: x.json, x.2.json, x.3.json.
func numbered(name string, n int) string {
	if n < 2 {
		return name
	}
	stem, key, ext, ok := cutKey(name)
	if ok {
		return fmt.Sprintf("%s.%d%s%s%s", stem, n, keyMark, key, ext)
	}
	ext = path.Ext(name)
	return fmt.Sprintf("%s.%d%s", strings.TrimSuffix(name, ext), n, ext)
}
