package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/settings"
)

// Root never works in a directory that somebody else owns. In such a directory every path can lead
// anywhere by the time the system looks it up, and root would write, chmod or send a file of the
// owner's choice. So a command that root starts becomes the owner of the spool, for good, before it
// touches spool or state. Its files then belong to the owner by themselves, and the scheduled runs
// can use them.

// account is the user as whom a command works.
type account struct {
	uid, gid int
	groups   []int  // supplementary
	name     string // "uid N" when the user database does not know the user
	because  string // the directory of that owner; "" while the user is the one who started the program
}

// prepare opens what perhaps only the user may read who started the program: token, keys,
// certificates and authorities, and the files to be put. Then root becomes the owner of the spool.
func (s *session) prepare(ctx context.Context, takes settings.Commands) error {
	s.startedBy = os.Geteuid()
	s.account = account{uid: s.startedBy}
	if takes&settings.Delivery != 0 {
		s.transmitter, s.errTransmitter = s.newTransmitter()
	}
	if s.startedBy != 0 {
		return nil
	}
	s.account.name = "root"
	if takes&settings.Put != 0 {
		for _, source := range s.putSources() {
			_ = source.open(ctx) // put tells it when it comes to the file
		}
	}
	err := s.becomeOwner(takes)
	if takes == settings.Check { // shows it and goes on
		s.errAccount, err = err, nil
	}
	if err != nil && s.transmitter != nil {
		s.transmitter.Close()
	}
	return err
}

// becomeOwner gives root up if the directory that a command works in belongs to another user.
func (s *session) becomeOwner(takes settings.Commands) error {
	dir, st, err := s.decisive(takes)
	if err != nil || st.Uid == 0 {
		return nil // a spool that is not there is an error of whoever opens it
	}
	if s.transmitter != nil {
		s.transmitter.ReadSystemRoots()
	}
	owner := accountOf(int(st.Uid), int(st.Gid))
	if err := s.env.Become(owner.uid, owner.gid, owner.groups); err != nil {
		err = fmt.Errorf("%s belongs to %s, and root cannot become that user: %w", dir, owner.name, err)
		return exit.With(exit.Permission, withHint(err, "start it as "+owner.name))
	}
	s.account, s.account.because = owner, dir
	return nil
}

// decisive returns the directory whose owner a command works as. That is the spool, except for the
// commands that touch only the breaker's state. A state directory that is not there yet is for the
// owner of the spool.
func (s *session) decisive(takes settings.Commands) (dir string, st unix.Stat_t, err error) {
	dirs := []string{s.cfg.Spool.Dir}
	if takes&settings.Spool == 0 {
		dirs = []string{s.cfg.Breaker.StateDir, s.cfg.Spool.Dir, existing(s.cfg.Breaker.StateDir)}
	}
	for _, dir = range dirs {
		if st, err = statOf(dir); err == nil {
			break
		}
	}
	return dir, st, err
}

// accountOf looks a user up. A user whom the database does not know, as in a container, gets the
// group of the directory, unless that is root's: the user may not be a member of it.
func accountOf(uid, gid int) account {
	id := account{uid: uid, gid: cmp.Or(gid, uid), name: fmt.Sprint("uid ", uid)}
	known, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return id
	}
	id.name = known.Username
	if group, err := strconv.Atoi(known.Gid); err == nil {
		id.gid = group
	}
	texts, _ := known.GroupIds()
	for _, text := range texts {
		if group, err := strconv.Atoi(text); err == nil {
			id.groups = append(id.groups, group)
		}
	}
	return id
}

// checkStateDir judges the state directory for a command that root started. A third user's would
// lead it astray just as the spool could have. A process that root did not start has no more rights
// than its user, and the system judges what it may do.
func (s *session) checkStateDir() error {
	if s.startedBy != 0 {
		return nil
	}
	dir := s.cfg.Breaker.StateDir
	mend := fmt.Sprintf("install -d -o %s %s", strings.TrimPrefix(s.account.name, "uid "), dir)
	if err := s.checkOwner("state directory", dir, mend); err != nil {
		return err
	}
	err := unix.Faccessat(unix.AT_FDCWD, existing(dir), unix.R_OK|unix.W_OK|unix.X_OK, unix.AT_EACCESS)
	if !errors.Is(err, fs.ErrPermission) { // a full or read-only disk stops no deliveries
		return nil
	}
	err = fmt.Errorf("%s, who owns the spool, cannot use the state directory %s: %w", s.account.name, dir, err)
	return exit.With(exit.Config, withHint(err, mend))
}

// checkMetricsDir judges the directory of the metrics file likewise.
func (s *session) checkMetricsDir() error {
	if s.startedBy != 0 || s.cfg.MetricsFile == "" {
		return nil
	}
	return s.checkOwner("directory of the metrics file", filepath.Dir(s.cfg.MetricsFile),
		"name a file in the state directory with --metrics-file")
}

// checkOwner refuses a directory that belongs neither to the user as whom the command works nor to
// root. For a directory that is not there yet, the one counts that it would be made in.
func (s *session) checkOwner(what, dir, mend string) error {
	there := existing(dir)
	st, err := statOf(there)
	if err != nil || st.Uid == 0 || int(st.Uid) == s.account.uid {
		return nil
	}
	return exit.With(exit.Config, withHint(fmt.Errorf("the %s %s belongs to %s, and the spool to %s",
		what, there, accountOf(int(st.Uid), 0).name, s.account.name), mend))
}

// examineUser says as whom a run works, for check.
func (s *session) examineUser() (string, error) {
	if s.account.name == "" {
		s.account.name = accountOf(s.account.uid, 0).name
	}
	text := s.account.name
	if s.account.because != "" {
		text = fmt.Sprintf("root becomes %s, who owns %s", s.account.name, s.account.because)
	}
	if s.errAccount != nil {
		return text, s.errAccount
	}
	return text, errors.Join(s.checkStateDir(), s.checkMetricsDir())
}

// existing returns the directory itself or, if it is missing, the nearest one above it.
func existing(dir string) string {
	for dir = filepath.Clean(dir); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := statOf(dir); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return dir
}

func statOf(path string) (st unix.Stat_t, err error) {
	err = unix.Stat(path, &st)
	return st, err
}
