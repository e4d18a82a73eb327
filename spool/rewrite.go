package spool

import (
	"fmt"
	"iter"

	"golang.org/x/sys/unix"
)

// Rewrite replaces an array file by one that holds only the items whose indexes are in left, in
// order and byte for byte, under the same name, mode, owner (where permitted) and modification
// time. It is all or nothing: on an error the file is what it was. ErrVanished and ErrChanged mean
// that the file is no longer the one that was read, and was left alone. Afterwards p stands for the
// new file, so that it can be rewritten again or removed; its Items stay as they are.
//
// The caller has had a 2xx for, or has rejected, every item that is not in left. left must not be
// empty: Remove is for that.
func (s *Spool) Rewrite(p *Payload, left []int) error {
	if len(left) == 0 {
		return fmt.Errorf("%s: rewrite: no item is left", s.path(p.Name))
	}
	var written unix.Stat_t
	temp, err := writeTemp(s.fd, TempPrefix, 0o600, p.arrayOf(left), func(fd int, temp string) {
		likeOriginal(s.fd, p)(fd, temp)
		_ = unix.Fstat(fd, &written)
	})
	if err != nil {
		return fmt.Errorf("%s: rewrite: %w", s.path(p.Name), err)
	}
	// The last look comes right before the one step that counts. Before the new file was on the
	// disk, a producer would have had all that time to replace the old one unseen.
	err = s.Unchanged(p)
	if err == nil {
		if err = again(func() error { return unix.Renameat(s.fd, temp, s.fd, p.Name) }); err == nil {
			s.adopt(p, &written)
			return nil
		}
		err = fmt.Errorf("%s: rewrite: %w", s.path(p.Name), err)
	}
	unix.Unlinkat(s.fd, temp, 0)
	return err
}

// arrayOf returns the bytes of an array of some items, a piece at a time. Whole, they would take as
// much memory as the file does once more.
func (p *Payload) arrayOf(left []int) iter.Seq[[]byte] {
	const size = 64 << 10
	return func(yield func([]byte) bool) {
		piece := make([]byte, 0, size)
		for n, i := range left {
			piece = append(piece, "[,"[min(n, 1)])
			piece = append(piece, p.Items[i].Body...)
			if len(piece) >= size {
				if !yield(piece) {
					return
				}
				piece = piece[:0]
			}
		}
		yield(append(piece, ']'))
	}
}

// adopt makes p stand for the file that was just renamed into its place, whose change time the
// rename has set. If something else is there by now, p stays as it is and the file counts as
// changed.
func (s *Spool) adopt(p *Payload, written *unix.Stat_t) {
	var now unix.Stat_t
	if statAt(s.fd, p.Name, &now) == nil && now.Ino == written.Ino && now.Dev == written.Dev {
		p.id = identify(&now)
	}
}

// likeOriginal gives a new file the owner, mode and modification time of the payload file that its
// bytes come from, as far as the system lets it. CIFS, vfat and sshfs refuse one or the other; that
// is not a reason to keep a payload from its way.
func likeOriginal(dir int, p *Payload) func(fd int, temp string) {
	return func(fd int, temp string) {
		times := []unix.Timespec{p.mtime, p.mtime}
		_ = unix.UtimesNanoAt(dir, temp, times, unix.AT_SYMLINK_NOFOLLOW)
		// The owner comes before the mode. Until the group is the right one, nobody else may read
		// the file, and chown(2) clears mode bits. The group can often be kept where the owner
		// cannot.
		if unix.Fchown(fd, p.uid, p.gid) != nil {
			_ = unix.Fchown(fd, -1, p.gid)
		}
		_ = unix.Fchmod(fd, p.mode)
	}
}
