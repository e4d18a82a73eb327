// Package drain empties a spool into a listener for as long as the breaker
// lets it: for each item it asks the breaker, sends, records the result, stops
// when the breaker opens, and reports what was delivered and what failed.
//
// # Order
//
// Payload files are taken oldest first. Items that failed in an earlier run
// after they had reached the listener are deferred: within an array file they go
// after the others, and a file all of whose items are deferred goes last, the
// fewest attempts first, so that a payload the listener chokes on can
// neither block the others nor be the probe of every half-open breaker. After
// [Config.MaxAttempts] failures that count against it, a payload is rejected;
// a failure counts when other items were delivered in the same run and the
// answer did not speak of the listener's own load (429, 503).
//
// # Concurrency
//
// A run begins with one request at a time and allows one more after every good
// answer, which doubles the number in flight per round trip, up to
// [Config.Concurrency]. Any failure brings it back to one. So an ailing listener
// is met by one request at a time, and the half-open state, which a run can only
// be in at its beginning or after a failure, is one request whatever the limit.
// Results are recorded in the order in which they arrive; what is in flight when
// the breaker opens is let end and counted as late. Workers take items from one
// place under one lock. They read, send and remove outside of it; what they must
// not overtake is done under it: recording a failure, which goes to the disk, and
// the next scan of a large spool.
//
// # Batches
//
// With [Config.BatchItems] above one, a request carries several items, in the
// format that [Config.BatchFormat] names, under a key derived from theirs. All
// of them are delivered by its 2xx, or none. A batch that the listener refuses is
// halved until the item that is wrong with it is alone and can be rejected. Like
// requests in flight, batches begin with one item and double with every good
// answer, and deferred items go alone, so that none is blamed for another.
//
// # What a crash leaves behind
//
// Items whose answer had arrived but whose file was not yet removed or rewritten
// are sent again in the next run, under the same idempotency keys: as many as
// were in flight, or, of an array file, those since it was last rewritten, which
// happens once in a run, when all of it was sent. The index, which also remembers deferred items and
// files that were delivered but could not be removed, is written at the end of a
// run, and at once when it takes the place of a removal or a rewrite. Losing it
// loses no payload: deferred items lose their place at the end, and what is
// delivered and still in the spool is sent again under the same keys.
//
// # What it does not do
//
// It never waits: neither for a lock nor for a breaker to half-open. It prints
// nothing. It knows HTTP only as a verdict, and the breaker only as three calls.
package drain
