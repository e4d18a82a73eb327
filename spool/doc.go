// Package spool keeps a spool: a directory into which producers rename payload files, and from
// which a run removes them once the listener has them.
//
// Its files follow the way of a payload:
//
//	directory entry    [Spool.Scan] lists the oldest payload files, a [Page] at a time ([Scanner])
//	payload file       [Spool.Read] reads one, or says why it is skipped or refused
//	item               [Payload].Items are what becomes requests, each with its idempotency [Key]
//	remove             [Spool.Remove], when all items are delivered
//	rewrite            [Spool.Rewrite], with the items that are left
//	reject             [Spool.Reject] and [Spool.RejectItem] move to rejected/, with a [Reason]
//	leave              everything else stays where it is
//
// Beside that way stand [Spool.Put], the safe producer, and the calls for a person who looks after
// rejected payloads: [Spool.Rejected], [Spool.Retry], [Spool.RemoveRejected],
// [Spool.PruneRejected].
//
// # Promises
//
// A payload file is never modified in place, and is removed only when the caller says that all of
// its items are delivered. Right before it is removed, rewritten or rejected, the directory entry
// is looked at again. It is left alone when it is no longer the file that was read, so that a
// producer that replaces or appends to a file while it is being sent keeps its data. A change
// within the microseconds between that look and the step itself cannot be seen. A producer that
// gives every payload a name of its own is never hit by it, and its items never share an
// idempotency key.
//
// A file that was changed within ten minutes is left alone while somebody has it open for writing
// or holds a lock on it. This is for producers that write under the final name, and sees only those
// that keep the file open. It works on local file systems of Linux, for the user who owns the file;
// elsewhere a run reads such a file as any other.
//
// Names are resolved through one directory handle. A symbolic link is never followed, a FIFO is
// never waited for, and a device is never read. Nothing is ever overwritten.
//
// rejected/ belongs to the user of the runs, and nobody else may write to it; otherwise it is not
// used. A payload that cannot be moved there stays in the spool. Rejected payloads are deleted only
// within the limits that an operator has set, and never by a clock that cannot be right.
//
// Files of the program's own that come into the spool are never payloads: reasons, states, metrics.
//
// # What a crash leaves behind
//
// A crash leaves temporary files whose names begin with [TempPrefix]. The next scan lists them, and
// [Spool.Sweep] removes them. A rewrite or a rejection that was cut short leaves the payload file
// as it was, so that its items are sent again under the keys they had. An item of an array file may
// then be in rejected/ and in the spool; rejecting it again finds its copy. A reason may be in
// rejected/ without its payload. A removal that did not reach the disk before a power cut brings
// the file back, with the same keys. On file systems with neither an exclusive rename nor hard
// links, a name that was reserved for a payload may be left with an empty file.
//
// # What it does not do
//
// It knows neither breaker nor listener, and it has no clock: now is a value passed in. It takes no
// lock by itself, since runs exclude each other before they come here; [Spool.TryLock] is for runs
// whose breakers differ. It never decides that a payload is
// expendable. Extended attributes and ACLs do not survive a rewrite; the modification time, the
// mode and the owner do, as far as the system permits.
package spool
