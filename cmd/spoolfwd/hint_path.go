package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// pathOf returns the file or directory that an error is about, or "".
func pathOf(err error) string {
	var open *spool.OpenError
	var preflight *spool.PreflightError
	var rejected *spool.RejectedDirError
	var state *breaker.Anomaly
	var path *fs.PathError
	switch {
	case errors.As(err, &open):
		return open.Dir
	case errors.As(err, &preflight):
		return preflight.Dir
	case errors.As(err, &rejected):
		return rejected.Path
	case errors.As(err, &state) && state.KeptAs == "": // otherwise it is not there any more
		return state.Path
	case errors.As(err, &path):
		return path.Path
	}
	return ""
}

// pathHint says what is wrong with a path that does not lead where its writer thought, or "".
func pathHint(err error) string {
	if strings.HasPrefix(pathOf(err), "~") && errors.Is(err, fs.ErrNotExist) {
		return "only a shell replaces ~ by a home directory, and not inside quotes: write the whole path"
	}
	return ""
}

// deniedHint puts before a remedy as whom the program runs and who owns what was denied to it.
// Without a remedy it is to run as the owner. Other errors have no part in that.
func deniedHint(err error, remedy string) string {
	path := pathOf(err)
	if path == "" || !errors.Is(err, syscall.EACCES) {
		return remedy
	}
	path, st, errStat := nearest(path)
	if errStat != nil {
		return remedy
	}
	owner := accountOf(int(st.Uid), 0).name
	if int(st.Uid) == os.Geteuid() {
		remedy = cmp.Or(remedy, "check its mode")
	}
	return fmt.Sprintf("it runs as %s, and %s belongs to %s with mode %04o: %s", accountOf(os.Geteuid(), 0).name,
		transmit.Printable(path), owner, st.Mode&0o7777, cmp.Or(remedy, "run it as "+owner))
}

// nearest returns the first of a path and the directories above it that can be looked at. That is
// the one that denies: a file, or the directory that does not show it.
func nearest(path string) (string, unix.Stat_t, error) {
	path = filepath.Clean(path)
	st, err := statOf(path)
	for err != nil && path != filepath.Dir(path) {
		path = filepath.Dir(path)
		st, err = statOf(path)
	}
	return path, st, err
}
