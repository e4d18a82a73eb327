package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// Whoever can replace a directory or a link on a path decides where it leads. For a command that
// root starts, every directory and link on the way must therefore belong to root or to the user as
// whom the command works, and no third user may have write permission, as sshd wants it of its
// files (StrictModes). The paths then lead to the same place whenever the system looks them up.
// That holds for spool, state and metrics. How open the last directory may be is for its own
// package to judge.

// checkPath judges the path of a directory. A flag names the directory, and messages call it what.
// A directory that is missing is judged when it has been made, too.
func checkPath(what, flag, path string, as account) error {
	if !filepath.IsAbs(path) { // not filepath.Abs: ".." behind a link leads elsewhere
		wd, err := os.Getwd()
		if err != nil {
			return fmt.Errorf("%s %s: %w", what, path, err)
		}
		path = wd + "/" + path
	}
	refuse := func(at, words, mend string) error {
		if at != filepath.Clean(path) {
			at = path + ": " + at
		}
		return exit.With(exit.Config, withHint(fmt.Errorf("%s %s %s", what, at, words),
			fmt.Sprintf("%s, or name another directory with %s", mend, flag)))
	}
	top, err := lstatOf("/")
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	dir, st, links := "/", top, 0
	for rest := strings.Split(path, "/"); len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			dir = filepath.Dir(dir) // which has been judged
			st, _ = lstatOf(dir)
			continue
		}
		next := filepath.Join(dir, name)
		entry, err := lstatOf(next)
		if writersOf(st, as) && st.Mode&unix.S_ISVTX == 0 { // a sticky bit keeps what is there
			return refuse(dir, "may be written to by other users than root and "+as.name, "chmod go-w "+dir)
		}
		switch {
		case err != nil: // whoever uses the path tells it
			return nil
		case entry.Uid != 0 && entry.Uid != top.Uid && int(entry.Uid) != as.uid: // as root of a container, / may be another's
			owner := accountOf(int(entry.Uid), 0).name
			return refuse(next, fmt.Sprintf("belongs to %s, and the spool to %s", owner, as.name),
				giving(next, as))
		case entry.Mode&unix.S_IFMT == unix.S_IFLNK:
			target, err := os.Readlink(next)
			if links++; err != nil || links > 40 { // as many as the system follows
				return nil
			}
			if filepath.IsAbs(target) {
				dir, st = "/", top
			}
			rest = append(strings.Split(target, "/"), rest...)
			continue
		}
		dir, st = next, entry
	}
	return nil
}

// writersOf reports whether a third user may write to a directory. Its owner's choice of a group is
// the owner's, unless that is root.
func writersOf(st unix.Stat_t, as account) bool {
	if as.uid != 0 && int(st.Uid) == as.uid {
		return false
	}
	byGroup := st.Mode&unix.S_IWGRP != 0 && st.Gid != 0 && int(st.Gid) != as.gid
	return byGroup || st.Mode&unix.S_IWOTH != 0
}

func lstatOf(path string) (st unix.Stat_t, err error) {
	err = unix.Lstat(path, &st)
	return st, err
}
