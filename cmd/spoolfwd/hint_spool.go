package main

import (
	"errors"
	"os"
	"syscall"

	"github.com/bitville-apm/spoolfwd/spool"
)

// spoolHint says what to do about an error of package spool, or "".
func spoolHint(err error) string {
	var open *spool.OpenError
	var preflight *spool.PreflightError
	var rejected *spool.RejectedDirError
	var size *spool.TooLargeError
	switch {
	case errors.As(err, &open):
		switch {
		case errors.Is(err, os.ErrNotExist):
			return "create it, or name another directory with --spool"
		case errors.Is(err, syscall.ENOTDIR):
			return "--spool names the directory that holds the payload files"
		case errors.Is(err, spool.ErrForeign):
			return "run as the user who owns the payload files"
		}
	case errors.As(err, &preflight) && errors.Is(err, syscall.EPERM):
		// Not a matter of users: one's own file can be removed even from a sticky directory.
		return "nothing was sent; lsattr -d shows whether the directory is immutable or append-only"
	case errors.As(err, &preflight) && !errors.Is(err, syscall.EACCES):
		return "nothing was sent; see spoolfwd check"
	case errors.As(err, &rejected):
		return rejectedHint(rejected)
	case errors.Is(err, spool.ErrFull):
		return "the limits are --max-spool-files and --max-spool-bytes"
	case errors.As(err, &size):
		return "the limit is --max-file-size"
	}
	return ""
}

// rejectedHint says what to do about a rejected/ that takes no payloads.
func rejectedHint(err *spool.RejectedDirError) string {
	switch {
	case err.Foreign(), errors.Is(err, os.ErrPermission):
		return "rejected/ must belong to the user of the runs, and nobody else may write to it: chown it, chmod 700"
	case errors.Is(err, syscall.ENOTDIR):
		return "rejected payloads need a real directory of that name"
	case errors.Is(err, syscall.EXDEV):
		return "rejected/ must be on the file system of the spool, not a mount of its own"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "the disk has no room or no inode left: df, df -i"
	case errors.Is(err, syscall.EROFS):
		return "the file system is mounted read-only"
	}
	return ""
}
