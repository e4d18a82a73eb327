package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// Reject moves a whole payload file to rejected/. ErrVanished and ErrChanged mean that the entry is
// no longer the file that was read, and was left alone. A *RejectedDirError means that the file is
// still in the spool because rejected/ cannot take it.
func (s *Spool) Reject(p *Payload, r Reason) error {
	if err := s.Expire(p, r); err != nil {
		return err
	}
	return s.SyncRejected()
}

// Expire is Reject for one payload file of many: only SyncRejected makes the moves durable. A power
// cut before that may bring the files back into the spool.
func (s *Spool) Expire(p *Payload, r Reason) error {
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
		name := rejectedName(p.Name, n)
		if taken, err := exists(dir, name); err != nil {
			return s.rejectedError(p.Name, err)
		} else if taken {
			continue
		}
		// The reason goes first. A crash in between leaves a reason without a payload, which the
		// next rejection replaces, and never a payload of which nobody knows anything.
		if err := s.writeReason(dir, name, r); err != nil {
			return s.rejectedError(p.Name, err)
		}
		// The last look comes right before the step that counts. Writing the reason to the disk
		// takes long enough for a producer to replace the file.
		err := s.Unchanged(p)
		if err == nil {
			err = renameNew(s.fd, p.Name, dir, name)
		}
		switch {
		case err == nil:
			return nil
		case errors.Is(err, unix.EEXIST):
			continue
		}
		unix.Unlinkat(dir, name+reasonSuffix, 0)
		switch {
		case errors.Is(err, unix.ENOENT):
			return ErrVanished
		case errors.Is(err, ErrVanished), errors.Is(err, ErrChanged):
			return err
		}
		return s.rejectedError(p.Name, err)
	}
}

// RejectItem copies one item of an array file to rejected/, as a file of its own that carries the
// item's key in its name. The copy is durable on return, so that the caller may cut the item out of
// its file. Rejecting an item again, as after a crash before that cut, finds the copy and renews
// the reason. A *RejectedDirError means that there is no copy.
func (s *Spool) RejectItem(p *Payload, index int, r Reason) error {
	dir, err := s.openRejected(true)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	item := p.Items[index]
	r.File, r.Item, r.Key = EncodeName(p.Name), index+1, item.Key
	for n := 1; ; n++ {
		name := rejectedName(withKey(p.Name, item.Key), n)
		// The name alone proves nothing: the file there counts only if its bytes are the item's.
		taken, err := exists(dir, name)
		if err == nil && taken && !holds(dir, name, item.Body) {
			continue
		}
		if err == nil {
			err = s.writeReason(dir, name, r)
		}
		if err == nil && !taken {
			err = s.copyTo(dir, name, p, item.Body)
		}
		switch {
		case err == nil:
			return s.syncRejected(dir)
		case errors.Is(err, unix.EEXIST):
			n-- // it was taken a moment ago: look what it is
			continue
		case !taken:
			unix.Unlinkat(dir, name+reasonSuffix, 0)
		}
		return s.rejectedError(p.Name, err)
	}
}

// copyTo makes a new file in rejected/ of an item's bytes.
func (s *Spool) copyTo(dir int, name string, p *Payload, body []byte) error {
	temp, err := writeTemp(s.fd, TempPrefix, 0o600, inOnePiece(body), likeOriginal(s.fd, p))
	if err != nil {
		return err
	}
	if err = renameNew(s.fd, temp, dir, name); err != nil {
		unix.Unlinkat(s.fd, temp, 0)
	}
	return err
}

// exists reports whether a directory has an entry of that name. When in doubt it has.
func exists(dir int, name string) (bool, error) {
	var st unix.Stat_t
	switch err := statAt(dir, name, &st); {
	case err == nil:
		return true, nil
	case errors.Is(err, unix.ENOENT):
		return false, nil
	default:
		return true, err
	}
}

// holds reports whether a regular file has exactly these bytes.
func holds(dir int, name string, want []byte) bool {
	f, err := openRegular(dir, name)
	if err != nil {
		return false
	}
	defer f.Close()
	got, err := io.ReadAll(io.LimitReader(f, int64(len(want))+1))
	return err == nil && bytes.Equal(got, want)
}

// rejectedName is the nth choice for the name of a payload in rejected/. A payload under the name
// of a reason would be taken for one, and replaced.
func rejectedName(name string, n int) string {
	choice := fitName(numbered(name, n))
	if strings.HasSuffix(choice, reasonSuffix) {
		choice = fitName(numbered(name, n+1))
	}
	return choice
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
