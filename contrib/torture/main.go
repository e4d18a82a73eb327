//go:build linux && (amd64 || arm64)

// Torture kills spoolfwd at every system call, lets each of them fail, cuts the power, fills the
// disk, and proves after each of these that no payload was lost. README.md lists the scenarios.
//
// # The invariant
//
// Conservation: each item that was ever spooled is delivered at least once with identical bytes,
// or it is in rejected/ with a reason, or it is still in the spool. An item that is delivered more
// than once carries the same Idempotency-Key each time. The number of repeated deliveries is
// bounded by the fault: the requests in flight or, for an array file, the items delivered since
// its last rewrite. The state file is complete JSON with its four keys at every moment.
//
// One function, takeInventory, checks this for all scenarios. It reads files and requests itself
// and shares no code with the product. In the crash and fault matrices the content of the state
// file is checked too: each workload lists the states that the breaker passes through.
//
// # How a system call is hit
//
// The process runs under a seccomp filter that hands each of its system calls about files and
// sockets to this program before the kernel acts on it (seccomp_unotify(2)). This program numbers
// them across all threads. It lets a call pass, answers with an error in the kernel's place, kills
// the process, or changes a file first. strace can inject faults too, but it counts calls per
// thread, and Go moves between threads: the 17th call of a process cannot be named to strace.
//
// # What it does not do
//
// It does not repeat what the packages' own tests prove. It sends nothing beyond the loopback
// interface. Scenarios that need root are reported as not run where it is not root.
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
