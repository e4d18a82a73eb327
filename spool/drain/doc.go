// Package drain empties a spool into a listener for as long as the breaker lets it. For each item
// it asks the breaker, sends, records the result and acts on it. It stops when the breaker opens,
// and reports what was delivered and what failed.
//
// The files follow a payload on its way: run (the life of a run and its workers), expire (what the
// spool must not hold any longer), choose, queue and elsewhere (what comes next), read and file (a
// payload file in hand), send, limit and pace (one request and how many may be in flight), batch,
// event and halve (several items in one request), settle, reject and attempts (what the verdict
// does to the file), index (what the next run must know), report. Plan does the same without
// sending. A [Sender] is for programs without a spool.
//
// # Order
//
// Payload files are taken oldest first, and each item is sent alone at most once in a run. After a
// failure the next request comes from elsewhere in the spool, far from the payload that failed:
// from another file, or from another part of the only one. After a success the oldest is next
// again, and the next search begins where the last one found something good. Bad payloads stand
// together, because they come from one producer or one minute. A failing listener fails everywhere.
// So the five failures in succession that open the breaker speak of the listener. Bad payloads at
// the front cost one request each and keep nothing back. The probe of a half-open breaker is chosen
// in the same way: the number of failures, which the breaker keeps from run to run, says where. A
// failing listener gets no request more than without all this: as many as the threshold, and then
// one per probe. Of a spool larger than [Config.PageSize], the oldest files and a thousand of the
// youngest are in reach of these choices. Good payloads that stand between more bad ones than that
// wait until bad ones are rejected.
//
// An item is deferred if it failed after it had reached the listener, and a request that began
// after the failure was delivered. In an array file it goes after the others. A file all of whose
// items are deferred goes last, the fewest attempts first. After [Config.MaxAttempts] failures that
// count against it, a payload is rejected. A failure counts when the item was sent alone and the
// answer did not speak of the listener's own load (429, 503). In an outage nothing more is
// delivered. So an outage changes neither the order nor what is remembered, even one that begins in
// the middle of a run. There are two exceptions. An item that is deferred already goes after all
// others, so its failures count if anything was delivered before them. And a run that begins with
// failures on record, delivers something and ends with failures defers the first of these: bad
// payloads that are last in every run would otherwise never be deferred.
//
// While the index is full nothing is deferred: all payloads go by age, and failures of those in the
// index go on counting until they are rejected and make room.
//
// # Bounds of the spool
//
// [Config.MaxAge], [Config.MaxSpoolBytes] and [Config.MaxSpoolFiles] bound a spool whose producers
// cannot. What is beyond them expires: before the first request, or when the breaker is open, the
// oldest payload files are moved to rejected/ for ten seconds at most. The moves become durable
// together. A crash before that may bring files back, which then expire again. A file that is being
// written stays, and so does one that only waits for its removal.
//
// # Concurrency
//
// A run begins with one request at a time and allows one more after every good answer, which
// doubles the number in flight per round trip, up to [Config.Concurrency]. By default there is no
// such limit: from four on the number grows by four per round trip, up to [Config.MaxConcurrency],
// while the latency of answers says that requests do not queue at the listener. When they do, it
// shrinks, but not below four. When the listener refuses requests for its load, or does not answer,
// the number stays below that point for thousands of answers. The requests in flight together then
// carry 64 MiB at most, unless one alone has more.
//
// Any failure brings the number back to one. So a failing listener is met by one request at a time.
// A run can be half-open only at its beginning or after a failure, so that a probe is one request
// whatever the limit is. Results are recorded in the order in which they arrive. Requests in flight
// when the breaker opens are allowed to finish and counted as late. Requests in flight together are
// neighbours in the spool, and may all be bad. So the breaker hears of the first failure among
// them, and of the others only if nothing is left to send. A listener that begins to fail in the
// middle of a run gets what is in flight, and one request less than the breaker's threshold. One
// that answers with a Retry-After gets none: the breaker hears of that at once.
//
// # Batches
//
// With [Config.BatchItems] above one, a request carries several items, in the format that
// [Config.BatchFormat] names, under a key derived from theirs. Its 2xx delivers all of them, unless
// the answer says that it took only a part. Batches begin with one item and double with every good
// answer.
//
// A batch that the listener refuses, or takes in part, is halved until an item is refused alone. It
// is rejected, or kept if the answer was about a part, and is a failure like any other; the rest
// goes back and into later requests of the run. When a batch
// fails for any other reason, that is one failure, and each of its items is sent again in this run,
// alone. Deferred items go alone too, so that none is blamed for another.
//
// A listener may have taken a part of a batch that it refused or did not answer, and refuse that
// part afterwards as known. One run rejects at most as many payloads as the breaker's threshold
// that were part of such a batch. After that it sends single items only, and keeps and defers those
// of them that are refused.
//
// # What a crash leaves behind
//
// Items whose answer had arrived and whose file was not yet removed or rewritten are sent again in
// the next run, under the same idempotency keys. These are at most the items in flight and, of an
// array file, those delivered since its last rewrite. A file is rewritten when all of it was sent,
// and every second until then. The index is written at the end of a run, and at once when it takes
// the place of a removal or a rewrite. Losing it loses no payload: deferred items lose their place
// at the end, and delivered items that are still in the spool are sent again under the same keys.
//
// # What a full disk leaves behind
//
// A full disk, or a quota, stops no deliveries, since removals make room. An array file of which an
// item fails cannot be rewritten there, and the index cannot note which of its items were
// delivered. The index is saved again at the end of the run, when removals have made room for it.
// If nothing was removed, the other items of that file are sent again in the next run, under the
// same keys, and so on until there is room: that is the limit of what can be noted without a block.
//
// # What it does not do
//
// It never waits, neither for a lock nor for a breaker to become half-open. It prints nothing. It
// knows HTTP only as a verdict, and the breaker only as an interface.
package drain
