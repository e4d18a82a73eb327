// Package breaker is a circuit breaker that remembers its state in a small JSON file. It is made
// for a program that lives for seconds and is started again and again by a scheduler.
//
// # What it promises
//
// A closed breaker lets requests pass and counts consecutive failures. The failure that brings the
// count to the threshold opens it, and a failure with a Retry-After opens it at once. An open
// breaker lets nothing pass until the retry timeout is over, or the Retry-After if that ends later.
// Then it is half-open, and one probe decides: a success closes it and clears everything, a failure
// opens it anew. A result that arrives after the breaker opened never closes it. With
// Config.RetryTimeoutMax, each failed probe doubles the retry timeout, up to that maximum.
//
// Loading never fails. The breaker is usable afterwards, with any content of the state file and
// with anything in its place. An absent file is a closed breaker and not worth a message. A file
// that cannot be used is a closed breaker and one [Anomaly], and it is kept as NAME.state.corrupt
// for a person to see.
//
// Only a trip by hand holds the breaker for longer than the longest retry timeout or one capped
// Retry-After, whatever the clock does. A time that lies in the future is counted from now on, and
// that correction is saved. Otherwise each run of a host whose clock went back would hold for
// another whole timeout. Where the correction cannot be saved, the hold counts as over. The price
// is one probe per run.
//
// Every failure and every transition is on disk before the call returns. The exception is a forced
// probe, which leaves no trace until it has a result. A run that changes nothing writes nothing.
//
// A state that cannot be saved (full disk, no inode, read-only) counts in memory, so a run sends at
// most a threshold of failing requests in a row. Each success and Save try again. Where no new file
// can be made, the old one is overwritten in place.
//
// Programs that know just the keys state, failure_count, last_failure_time and opened_at, and wait
// for one retry timeout, wait for a trip or a Retry-After all the same: opened_at is then as much
// later as the hold is longer. Nothing binds them to jitter, or to a retry timeout that has grown.
//
// # Lock and identity
//
// TakeLock keeps other runs out for as long as the process lives, and never waits. Others cannot
// open the lock file, so they cannot hold it. The lock counts only while its file is the one at the
// path: a program that deletes the file lets a second run in. While there is no lock file and no
// room for one, the directory is locked, which anybody who can read it can do as well.
//
// HostID names the host in a way that stays the same from run to run. Hosts without a machine id
// keep their identity in the state directory, as host-id.
//
// # What a crash leaves behind
//
// The state file is replaced durably (package statefile), so a reader sees the old state or the new
// one, whole. The exception is a disk without room: a file that is overwritten there can be torn,
// and then loads as closed. The next Open removes the temporary file of a killed save. A kill
// between a probe and its result leaves a half-open file, and the next run probes again. A success
// that resets the failure count of a closed breaker is in memory until Save, so a kill may lose it.
// The breaker then opens some failures early, never late. A kill while a first identity is made can
// leave host-id followed by digits, which nothing removes.
//
// # What it does not do
//
// A Breaker does not take the lock itself. The caller holds LockPath (TakeLock) from before Open
// until after Save, and a caller that only looks uses Peek. The breaker does not wait, does not log
// and does not read the clock.
//
// It does not merge. Open or Peek read the file once, and the next save overwrites what another
// program writes during a run. Unknown keys are carried over with their values byte for byte, as
// long as the file stays within the 64 KiB that are read back.
//
// The half-open probe is not claimed: the breaker stays available until a result is recorded, so
// the caller keeps one request in flight then.
package breaker
