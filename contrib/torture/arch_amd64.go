//go:build linux

package main

import "golang.org/x/sys/unix"

// Names that differ between the architectures.
const (
	auditArch  = unix.AUDIT_ARCH_X86_64
	sysFstatat = unix.SYS_NEWFSTATAT
)
