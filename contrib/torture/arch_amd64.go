//go:build linux

package main

import "golang.org/x/sys/unix"

// What the architectures name differently.
const (
	auditArch  = unix.AUDIT_ARCH_X86_64
	sysFstatat = unix.SYS_NEWFSTATAT
)
