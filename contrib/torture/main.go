//go:build linux && (amd64 || arm64)

// Torture kills spoolfwd at every system call, lets each of them fail, cuts the
// power, fills the disk and lies to it, and proves after each of these that no
// payload was lost.
//
// # The invariant
//
// Conservation: each item that was ever spooled is delivered at least once with
// identical bytes, or in rejected/ with a reason, or still in the spool. What is
// delivered more than once carries the same Idempotency-Key each time, and there
// is no more of it than the fault allows: the requests in flight, or, of an
// array file, the items delivered since it was last rewritten. The state file is
// whole JSON with its four keys at every moment. One function, takeStock, checks
// this for all scenarios; it reads files and requests itself and shares no code
// with the product. In the two matrices the state file must be true as well: each
// story says which states of the breaker it passes through.
//
// # How a system call is hit
//
// The process runs under a seccomp filter that hands each of its system calls
// about files and sockets to this program before the kernel acts on it
// (seccomp_unotify(2)). This program numbers them across all threads and lets
// them pass, answers with an error in the kernel's place, kills the process, or
// changes the file in question first. strace can inject faults too, but it
// counts "per syscall and per tracee", that is, per thread (strace(1), when=),
// and Go moves from thread to thread: the 17th call of a process cannot be named
// to it, and "every point" would be a sample.
//
// # What it does not do
//
// It does not test packages: their own tests do. It sends nothing beyond the
// loopback interface. File systems that need more than root's rights over a loop
// device are left to others; where it is not root it says what was not run.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == helperMark {
		fmt.Fprintln(os.Stderr, "torture: helper:", become(os.Args[2]))
		os.Exit(127)
	}
	inOwnMounts()
	os.Exit(run(os.Args[1:]))
}
