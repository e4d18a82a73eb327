// Command spoolfwd sends the payload files that producers have left in a spool to an HTTP listener,
// as a short-lived process that a scheduler starts.
//
// The command owns everything around a run: flags, environment and configuration file, the lock,
// the words on standard error and the exit code. Package spool knows what a payload file is,
// package transmit what an answer means, and package breaker when to stop asking.
//
// It promises:
//
//   - One run at a time for one breaker. The lock is taken before anything is read and held until
//     the process ends. Nothing waits for it. Runs of two breakers on one spool exclude each
//     other by a second lock (samespool.go).
//   - A healthy or an empty run prints nothing, and writes nothing but what it locks, once: the
//     lock file and an empty rejected/. A run prints changes (the breaker opened, the breaker
//     closed) and errors, each once with a count, never once per payload file.
//   - Standard output carries only what was asked for. Everything else goes to standard error, one
//     line per thought, with control characters escaped.
//   - Root never works in another user's directory. A command that root starts opens what only root
//     may read, and then becomes the owner of the spool for good (user.go).
//   - status and check change nothing on disk, not even the state directory.
//   - The exit code tells a scheduler whether a person is needed (internal/exit).
//
// A crash leaves the lock file, which the kernel has unlocked and which is never deleted, and what
// the packages below say that they leave.
//
// The command deliberately does not daemonise, does not wait for a lock, and takes no secret on the
// command line.
//
// Where things are: cmd_NAME.go holds the command NAME, deliver.go what run and flush share,
// tell.go an outcome in words, and hint_PACKAGE.go what to do about that package's errors.
// Everything runs through run(ctx, Env), which is given its streams, environment, clock and
// dialler, and returns the exit code. Only main touches the process.
package main
