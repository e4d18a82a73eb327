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
	"github.com/bitville-apm/spoolfwd/spool"
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
	home     string // "" when the user database does not know the user
	name     string // "uid N" when the user database does not know the user
	because  string // the directory of that owner; "" while the user is the one who started the program
}

// prepare opens the files to be put, which perhaps only the user may read who started the program.
// The transmitter has its token, keys, certificates and authorities by then. Then root becomes the
// owner of the spool.
func (s *session) prepare(ctx context.Context, takes settings.Commands) error {
	s.startedBy = os.Geteuid()
	s.account = account{uid: s.startedBy}
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
	if err == nil && takes&settings.Lock != 0 {
		err = errors.Join(s.checkStateDir(), s.checkMetricsDir())
	}
	if takes == settings.Check { // shows it and goes on
		s.errAccount, err = err, nil
	}
	if err != nil && s.transmitter != nil {
		s.transmitter.Close()
	}
	if err != nil && takes&(settings.Run|settings.Flush) != 0 && !s.cfg.DryRun {
		err = s.notRun(err)
	}
	return err
}

// becomeOwner gives root up if the directory that a command works in belongs to another user.
func (s *session) becomeOwner(takes settings.Commands) error {
	dir, st, err := s.decisive(takes)
	what, flag := "state directory", "--state-dir"
	if dir == s.cfg.Spool.Dir {
		what, flag = "spool", "--spool"
	}
	switch {
	case err != nil: // and nobody knows as whom to go on
		return errors.Join(s.errTransmitter, notOpened(&spool.OpenError{Dir: dir, Err: err}))
	case st.Uid == 0:
		return checkPath(what, flag, dir, s.account)
	}
	if s.transmitter != nil {
		s.transmitter.ReadSystemRoots()
	}
	owner := accountOf(int(st.Uid), int(st.Gid))
	if err := checkPath(what, flag, dir, owner); err != nil {
		return err
	}
	if err := s.env.Become(owner.uid, owner.gid, owner.groups); err != nil {
		err = fmt.Errorf("%s belongs to %s, and root cannot become that user: %w", dir, owner.name, err)
		return exit.With(exit.Permission, withHint(err, "start it as "+owner.name))
	}
	s.account, s.account.because = owner, dir
	_ = os.Setenv("HOME", owner.home) // a token command looks there for its files
	return nil
}

// decisive returns the directory whose owner a command works as. That is the spool, except for the
// commands that touch only the breaker's state. A state directory that is not there yet is for the
// owner of the spool. check goes on without a spool.
func (s *session) decisive(takes settings.Commands) (dir string, st unix.Stat_t, err error) {
	payloads, state := s.cfg.Spool.Dir, s.cfg.Breaker.StateDir
	dirs := []string{payloads}
	switch {
	case takes == settings.Check:
		dirs = []string{payloads, state, existing(state)}
	case takes&settings.Spool == 0:
		dirs = []string{state, payloads, existing(state)}
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
	id.name, id.home = known.Username, known.HomeDir
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

// word is the account as chown(8) knows it.
func (a account) word() string { return strings.TrimPrefix(a.name, "uid ") }

// checkStateDir judges the state directory for a command that root started. A third user's would
// lead it astray just as the spool could have. A process that root did not start has no more rights
// than its user, and the system judges what it may do.
func (s *session) checkStateDir() error {
	if s.startedBy != 0 {
		return nil
	}
	return checkPath("state directory", "--state-dir", s.cfg.Breaker.StateDir, s.account)
}

// checkMetricsDir judges the directory of the metrics file likewise.
func (s *session) checkMetricsDir() error {
	if s.startedBy != 0 || s.cfg.MetricsFile == "" {
		return nil
	}
	return checkPath("directory of the metrics file", "--metrics-file", filepath.Dir(s.cfg.MetricsFile), s.account)
}

// canUseStateDir asks whether the user that root has become can do so.
func (s *session) canUseStateDir() error {
	if s.startedBy != 0 {
		return nil
	}
	dir := s.cfg.Breaker.StateDir
	// The slash makes ENOTDIR of a file in its place, instead of EACCES.
	err := unix.Faccessat(unix.AT_FDCWD, existing(dir)+"/", unix.R_OK|unix.W_OK|unix.X_OK, unix.AT_EACCESS)
	if !errors.Is(err, fs.ErrPermission) { // a full or read-only disk stops no deliveries
		return nil
	}
	err = fmt.Errorf("%s, who owns the spool, cannot use the state directory %s: %w", s.account.name, dir, err)
	return exit.With(exit.Config, withHint(err, giving(dir, s.account)))
}

// canUseMetricsDir asks whether the user can make files there, for check. A run delivers all the
// same, and tells it afterwards.
func (s *session) canUseMetricsDir() error {
	if s.cfg.MetricsFile == "" {
		return nil
	}
	dir := filepath.Dir(s.cfg.MetricsFile)
	err := unix.Faccessat(unix.AT_FDCWD, existing(dir), unix.W_OK|unix.X_OK, unix.AT_EACCESS)
	if !errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return s.withMetricsHint(fmt.Errorf("%s cannot make the metrics file %s: %w", s.user().name, s.cfg.MetricsFile, err))
}

// withMetricsHint says what to do about a metrics file that the user cannot write.
func (s *session) withMetricsHint(err error) error {
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return withHint(err, giving(filepath.Dir(s.cfg.MetricsFile), s.user())+", or name a file in the state directory with --metrics-file")
}

// giving is the command that gives a directory to a user. install would set the mode of one that is
// there, and chown without -h would change what a link points to.
func giving(dir string, to account) string {
	command := "chown"
	switch info, err := os.Lstat(dir); {
	case err != nil:
		command = "install -d -o"
	case info.Mode().Type() == os.ModeSymlink:
		command = "chown -h"
	}
	return command + " " + to.word() + " " + dir
}

// user returns the account as whom the command works, with its name.
func (s *session) user() account {
	if s.account.name == "" {
		s.account.name = accountOf(s.account.uid, 0).name
	}
	return s.account
}

// examineUser says as whom a run works, for check.
func (s *session) examineUser() (string, error) {
	text := s.user().name
	if s.account.because != "" {
		text = fmt.Sprintf("root becomes %s, who owns %s", s.account.name, s.account.because)
	}
	if s.errAccount != nil {
		return text, s.errAccount
	}
	return text, errors.Join(s.canUseStateDir(), s.canUseMetricsDir())
}

// notExamined is for check, which goes on after a fault: a run would not get further than that.
func (s *session) notExamined() error {
	if s.errAccount == nil {
		return nil
	}
	return exit.With(exit.Of(s.errAccount), errors.New("not examined, because no run would work there"))
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
