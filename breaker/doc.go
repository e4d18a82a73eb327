// Package breaker is a circuit breaker whose memory is a small JSON file, made for a program that lives for seconds and is
// started again and again by a scheduler.
//
// # What it promises
//
// Closed lets requests pass and counts consecutive failures. The failure that brings the count to the threshold opens the
// breaker; a failure with a Retry-After opens it at once. Open lets nothing pass until the retry timeout (and a
// Retry-After, if later) is over; then the breaker is half-open and one probe decides: success closes it and clears
// everything, failure opens it anew. A result that arrives after the breaker opened never closes it.
//
// Loading never fails. Whatever lies where the state file should be, the breaker is usable afterwards: an absent file is a
// closed breaker and no news, anything unreadable is a closed breaker and one [Anomaly]. A bad file is kept beside the
// state file, as NAME.state.corrupt, for a person to see.
//
// Nothing but a trip by hand holds the breaker for longer than one retry timeout or one capped Retry-After, whatever the
// clock does: a time that lies in the future is counted from now on, and that correction is saved, or else each run of a
// host whose clock went back would hold for another whole timeout. Where it cannot be saved the hold counts as over: the
// price is one probe per run, and a probe that fails ends the run because its failure cannot be saved either.
//
// Every failure and every transition is on disk before the call returns, but for a probe that is forced, which leaves no
// trace until it has a result. A run that changes nothing writes nothing.
//
// # What a crash leaves behind
//
// The file is replaced by a rename, after an fsync of its content and before one of its directory, so a reader sees the
// old state or the new one, whole. A kill before the rename leaves NAME.state followed by digits in the directory; the
// next Open removes it. A kill between a probe and its result leaves a half-open file, and the next run probes again. A
// kill may also lose the reset of the failure count by a success, which is in memory until Save: the breaker then opens
// some failures early, never late.
//
// # What it does not do
//
// It takes no lock: the caller holds LockPath from before Open until after Save, and a caller that only looks uses Peek.
// It does not wait, log or read the clock. It does not merge: the file is read once, by Open or Peek, and a program that
// writes it while a run is under way is overwritten by the next save. Keys that it does not know are carried over with
// their values byte for byte, as long as the file stays within what is read back, 64 KiB.
//
// Since when the breaker is not closed (open_since) is for messages only; the four keys have no place for it, because
// opened_at is that of the last failed probe.
//
// The half-open probe is not claimed: the breaker stays available until a result is recorded, so the caller keeps one
// request in flight then.
package breaker
