// Command spoolfwd sends the payload files that producers have left in a spool
// to an HTTP listener, as a short-lived process that a scheduler starts.
//
// The command owns what surrounds a run: flags, environment and configuration
// file, the lock, the words on standard error and the exit code. What a payload
// file is belongs to package spool, what an answer means to package transmit,
// when to stop asking to package breaker.
//
// It promises:
//
//   - One run at a time for one breaker: the lock is taken before anything is
//     read and held until the process ends. It is never waited for.
//   - A healthy or an empty run prints nothing and writes nothing. What is
//     printed is a change (the breaker opened, the breaker recovered) or an
//     error, each once with a count, never once per payload file.
//   - Standard output carries only what was asked for; everything else goes to
//     standard error, one line per thought, control characters escaped.
//   - status and check change nothing on disk, not even the state directory.
//   - The exit code tells a scheduler whether a person is needed (internal/exit).
//
// A crash leaves behind the lock file, which the kernel has unlocked and which
// is never deleted, and whatever the packages below say they leave behind.
//
// It deliberately does not daemonise, does not wait for a lock, and takes no
// secret on the command line.
//
// Everything runs through run(ctx, Env), which is given its streams,
// environment, clock and dialler, and returns the exit code; main is the only
// place that touches the process.
package main
