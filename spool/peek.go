package spool

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Has reports whether the spool holds a regular file of that name. When in doubt it does.
func (s *Spool) Has(name string) bool {
	if strings.ContainsAny(name, "/\x00") {
		return false // nor does any directory
	}
	var st unix.Stat_t
	switch err := statAt(s.fd, name, &st); err {
	case nil:
		return isRegular(&st)
	case unix.ENOENT, unix.ENAMETOOLONG:
		return false
	}
	return true
}

// Empty reports whether the spool holds no payload file. It looks no further than the first.
func (s *Spool) Empty() (bool, error) {
	found, err := s.count(1, -1)
	return found.files == 0, err
}

// tally is how many payload files there are, and their bytes where these are limited.
type tally struct {
	files int
	bytes int64
}

// count counts payload files until it has found that many of them, or more than so many bytes; -1
// means without limit. It asks for sizes only where bytes are limited, since that takes most of the
// time: some two microseconds per file, where reading its name takes half of one. The number of
// files says nothing of their sizes: any producer can write a file larger than MaxFileSize.
func (s *Spool) count(files int, bytes int64) (found tally, err error) {
	enough := errors.New("enough")
	err = readDir(s.fd, func(raw []byte, kind uint8) error {
		if raw[0] == '.' || kind != kindRegular && kind != kindUnknown || !s.isPayload(string(raw)) {
			return nil
		}
		var st unix.Stat_t
		if kind == kindUnknown || bytes >= 0 {
			if statAt(s.fd, string(raw), &st) != nil || !isRegular(&st) {
				return nil
			}
		}
		found.files++
		found.bytes += int64(st.Size)
		if files >= 0 && found.files >= files || bytes >= 0 && found.bytes > bytes {
			return enough
		}
		return nil
	})
	if err != nil && err != enough {
		return found, fmt.Errorf("spool %s: %w", s.cfg.Dir, err)
	}
	return found, nil
}
