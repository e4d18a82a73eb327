package spool

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Rewrite replaces an array file by one that holds only the items whose indexes
// are in left, in order and byte for byte, under the same name, mode, owner
// (where permitted) and modification time. It is all or nothing: on an error the
// file is what it was. ErrVanished and ErrChanged mean that it is no longer the
// file that was read, and was left alone.
//
// The caller has had a 2xx for, or has rejected, every item that is not in
// left. left must not be empty: Remove is for that.
func (s *Spool) Rewrite(p *Payload, left []int) error {
	size := 1
	for _, i := range left {
		size += len(p.Items[i].Body) + 1
	}
	data := make([]byte, 0, size)
	for n, i := range left {
		data = append(data, "[,"[min(n, 1)])
		data = append(data, p.Items[i].Body...)
	}
	data = append(data, ']')

	temp, err := writeTemp(s.fd, TempPrefix, 0o600, data, likeOriginal(s.fd, p))
	if err != nil {
		return fmt.Errorf("%s: rewrite: %w", s.path(p.Name), err)
	}
	// Last look, then the one step that counts. Were the file looked at before
	// the new one is on the disk, a producer would have all that time to
	// replace it unseen.
	err = s.Unchanged(p)
	if err == nil {
		if err = again(func() error { return unix.Renameat(s.fd, temp, s.fd, p.Name) }); err == nil {
			return nil
		}
		err = fmt.Errorf("%s: rewrite: %w", s.path(p.Name), err)
	}
	unix.Unlinkat(s.fd, temp, 0)
	return err
}

// likeOriginal gives a new file the owner, mode and modification time of the
// payload file that its bytes come from.
func likeOriginal(dir int, p *Payload) func(fd int, temp string) error {
	return func(fd int, temp string) error {
		times := []unix.Timespec{p.id.mtime, p.id.mtime}
		if err := unix.UtimesNanoAt(dir, temp, times, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return err
		}
		// The owner before the mode: until the group is the right one, nobody
		// else may read the file, and chown(2) clears mode bits. Not being
		// allowed to give the file back to its producer is no reason to lose
		// it; the group can often be kept all the same.
		owner := unix.Fchown(fd, p.uid, p.gid)
		if owner != nil {
			_ = unix.Fchown(fd, -1, p.gid)
		}
		err := unix.Fchmod(fd, p.mode)
		if err != nil && owner == nil {
			return nil // given away by one who may not change it any more; 0600 serves its owner
		}
		return err
	}
}
