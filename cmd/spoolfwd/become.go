package main

import (
	"errors"
	"fmt"
	"syscall"
)

// become makes this process, with all its threads, another user's. There is no way back. The groups
// come first and the user last, because only root may change the groups. The system also makes such
// a process undumpable: the new user cannot read root's secrets from its memory (prctl(2),
// PR_SET_DUMPABLE).
func become(uid, gid int, groups []int) error {
	if err := syscall.Setgroups(groups); err != nil {
		return fmt.Errorf("setgroups: %w", err)
	}
	if err := syscall.Setgid(gid); err != nil {
		return fmt.Errorf("setgid: %w", err)
	}
	if err := syscall.Setuid(uid); err != nil {
		return fmt.Errorf("setuid: %w", err)
	}
	// A process without the capability would only have changed its effective user (setuid(2)).
	if syscall.Setuid(0) == nil {
		return errors.New("root's rights could not be given up")
	}
	return nil
}
