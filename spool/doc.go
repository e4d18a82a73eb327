// Package spool keeps a spool: a directory into which producers rename payload
// files and from which a run removes them once the listener has them.
//
// Data flows one way. [Spool.Scan] turns the directory into entries, oldest
// first, and a [Scanner] one that is too large for memory; [Spool.Read] turns an
// entry into a [Payload] and its items; what the listener made of the items
// decides which one destructive call follows: [Spool.Remove], [Spool.Rewrite] with
// the items that are left, or [Spool.Reject] and [Spool.RejectItem]. Everything
// else leaves the file where it is.
//
// # Promises
//
// A payload file is never modified in place, and never removed unless the caller
// says that all of its items are delivered. Right before it is removed,
// rewritten or rejected, the directory entry is looked at again, and left alone
// when it is no longer the file that was read: a producer that replaces or
// appends to a file while it is being sent keeps its data. Only what happens
// within the microseconds between that look and the step itself cannot be seen;
// a producer that gives every payload a name of its own can never be hit by it,
// and its items never share an idempotency key.
//
// Names are resolved through one directory handle; symbolic links are never
// followed, FIFOs never waited for, devices never read.
//
// # What a crash leaves behind
//
// Temporary files whose names begin with [TempPrefix], which the next scan
// lists and [Spool.Sweep] removes. A rewrite or a rejection that was cut short
// leaves the payload file as it was, so that its items are sent again under the
// idempotency keys they had. An item of a batch may then stand in rejected/ and
// in the spool at once; rejecting it again finds it there. A removal that did
// not reach the disk before a power cut brings the file back, with the same
// keys.
//
// # What it does not do
//
// It knows neither breaker nor listener nor clock, takes no lock (runs exclude
// each other before they come here) and never decides that a payload is
// expendable. Extended attributes and ACLs do not survive a rewrite; mode,
// owner where permitted, and modification time do.
package spool
