//go:build linux

// Bench measures the drain against what it could be replaced by and against what
// the machine allows, and prints the ratios in Markdown.
//
// # What is measured
//
// Each contender empties the same spool: payload files of one size on a journaled
// ext4, into fakelistener, a process of its own on the loopback interface. All
// contenders run in this process, with the same runtime, heap and processors: our
// packages put together as the command puts them together, the plain net/http loop,
// HTTP written by hand, and the file system alone. The listener shares the
// processors with them, so a contender's speed includes what the listener costs.
//
// Numbers from different machines, or from different minutes of a shared one, say
// nothing about each other. So the contenders take turns, each round in another
// order; a ratio is formed within its round, and the median of the rounds is what
// is printed, with the lowest and the highest beside it. Ratios within 20 % of each
// other are ties unless they repeat.
//
// After every turn the spool must be empty and the listener must have been sent
// every payload exactly once; a contender that cheats ends the program.
//
// # What is left behind
//
// Nothing, unless it is killed, which leaves the two built programs in the directory
// for temporary files. As root, the file system is an image in /dev/shm, which has no
// name any more once it is mounted, in a mount namespace that dies with the process.
// Otherwise the directory for temporary files is used, and a line says so: without a
// journal, or mounted with discard, removing a file can cost more than everything
// else together and hide it.
//
// # What it does not do
//
// It judges no run by its exit code, which is 0 also where a target is missed: on a
// machine that others use, a benchmark that fails is an alarm that rings for nothing.
package main

import (
	"os"
)

func main() { os.Exit(run(os.Args[1:])) }
