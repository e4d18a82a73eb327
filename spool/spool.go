package spool

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// TempPrefix begins the names of the temporary files that a run creates in a spool. Such names
// begin with a dot and so are never payload files.
const TempPrefix = ".spoolfwd-"

// putPrefix begins the names of Put's temporary files, and putGrace is the age at which nobody can
// be writing one any more.
const (
	putPrefix = ".spoolput-"
	putGrace  = time.Hour
)

// Config says which directory is the spool and what a payload file is. A zero field stands for its
// default.
type Config struct {
	Dir         string // default /var/lib/bitville-apm/buffer
	Pattern     string // default *.json: the glob that payload files' names match, as path.Match
	MaxFileSize int64  // default 16 MiB: larger files are rejected unread
	Whole       bool   // an array file is one item instead of one item per element
	Raw         bool   // files are opaque: any bytes are one item, JSON or not
	HostID      string // part of every idempotency key; empty is allowed

	// MinAge is how long ago a file must have been changed to be read; default 0. It is for
	// producers that write under the final name and close the file in between.
	MinAge time.Duration
}

// DefaultConfig returns the values that zero fields of a Config stand for.
func DefaultConfig() Config {
	return Config{
		Dir:         "/var/lib/bitville-apm/buffer",
		Pattern:     defaultPattern,
		MaxFileSize: 16 << 20,
	}
}

const defaultPattern = "*.json"

// CheckPattern judges Config.Pattern as [Open] would.
func CheckPattern(pattern string) error {
	if _, err := path.Match(pattern, ""); err != nil {
		return err
	}
	if strings.Contains(pattern, "/") { // it would match nothing, silently
		return fmt.Errorf("%w: a pattern matches file names, which hold no slash", path.ErrBadPattern)
	}
	return nil
}

// A Spool is an open spool directory. Its methods may be called concurrently, as long as each
// payload is in one goroutine's hands at a time.
type Spool struct {
	cfg    Config
	fd     int
	locked int // rejected/, while this process holds the lock of the spool; otherwise -1
	// alone allows keeping others from opening a payload file while it is read: it is this
	// process's turn to read it, and no other machine has a say in it.
	alone bool
	// euid and the directory's sticky bit and owner decide whose files a run may remove (unlink(2),
	// EPERM).
	euid     int
	mode     uint32
	sticky   bool
	ownerUID uint32
	hashers  sync.Pool // *hasher
}

// Open opens the spool directory. It reads nothing of it yet and changes nothing. A directory that
// cannot be opened is an *OpenError. So is another user's for root, with ErrForeign: what the owner
// puts there in place of a file could make root send, move or remove any file of this machine.
func Open(cfg Config) (*Spool, error) {
	def := DefaultConfig()
	cfg.Dir = cmp.Or(cfg.Dir, def.Dir)
	cfg.Pattern = cmp.Or(cfg.Pattern, def.Pattern)
	if cfg.MaxFileSize <= 0 {
		cfg.MaxFileSize = def.MaxFileSize
	}
	cfg.MaxFileSize = min(cfg.MaxFileSize, math.MaxInt-1) // a file is held in memory
	if err := CheckPattern(cfg.Pattern); err != nil {
		return nil, fmt.Errorf("pattern %q: %w", cfg.Pattern, err)
	}
	fd, err := openDir(unix.AT_FDCWD, cfg.Dir, 0)
	if err != nil {
		return nil, &OpenError{cfg.Dir, err}
	}
	var st unix.Stat_t
	if err := again(func() error { return unix.Fstat(fd, &st) }); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("spool %s: stat: %w", cfg.Dir, err)
	}
	s := &Spool{
		cfg:      cfg,
		fd:       fd,
		locked:   -1,
		euid:     os.Geteuid(),
		mode:     uint32(st.Mode),
		sticky:   st.Mode&unix.S_ISVTX != 0,
		ownerUID: st.Uid,
	}
	if s.euid == 0 && s.ownerUID != 0 {
		unix.Close(fd)
		return nil, &OpenError{cfg.Dir, fmt.Errorf("%w, uid %d", ErrForeign, s.ownerUID)}
	}
	return s, nil
}

// Close releases the directory handle and the lock of TryLock.
func (s *Spool) Close() error {
	// A child that is about to be started holds the handles, too, and with them a lock.
	_ = unix.Flock(s.fd, unix.LOCK_UN)
	if s.locked >= 0 {
		_ = unix.Flock(s.locked, unix.LOCK_UN)
		unix.Close(s.locked)
	}
	return unix.Close(s.fd)
}

// Dir returns the path of the spool as configured.
func (s *Spool) Dir() string { return s.cfg.Dir }

// Raw reports whether payload files need not be JSON, as configured.
func (s *Spool) Raw() bool { return s.cfg.Raw }

// HostID returns the identity of the host in idempotency keys, as configured.
func (s *Spool) HostID() string { return s.cfg.HostID }

// Sync makes the removals, rewrites and rejections so far durable. One fsync of the directory
// serves a whole run. Until then a power cut may bring removed files back, which are then sent
// again under the same keys.
func (s *Spool) Sync() error {
	if err := syncDir(s.fd); err != nil {
		return fmt.Errorf("spool %s: sync: %w", s.cfg.Dir, err)
	}
	return nil
}

// path names a file of the spool in messages.
func (s *Spool) path(name string) string { return s.cfg.Dir + "/" + name }
