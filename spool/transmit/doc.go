// Package transmit sends one item as one HTTP request and returns one verdict. Package h1 below it
// makes the exchange; its meaning is decided here.
//
// # What it promises
//
// One [Transmitter.Send] makes one request, and a second one under the same key only if the first
// went out on a kept connection that ended, or told a 408, instead of an answer, or on a resumed
// TLS session that ended, or told a 421. Such an end says nothing about the item or the listener,
// so only the second result counts. It comes from a fresh connection, so there is never a third
// request, but for a token command's sake: a 401 has it asked for a new token, once in all, with
// which the item goes out again. A redirect is never followed: Go's own client turns a 302 on POST
// into a GET, whose 200 would look like a delivery. A verdict of [Delivered] means that every byte
// of the item was handed to the connection and that a final 2xx status line with complete headers
// came back after it. The rest of the answer decides nothing, but for batches, whose answers may
// say that items failed. Words of a listener that speaks before it is asked deliver nothing if they
// come in time: the first request waits 2 to 10 ms for them, and so does the next one after a kept
// connection has died. After such words every request on a new connection waits, and likewise with
// DisableKeepAlives.
//
// Every call ends within Config.Timeout, and a tenth of a second, whatever the listener does, and
// holds a bounded amount of memory. (A token command has ten seconds of its own.) Only a process
// that was stopped meanwhile (SIGSTOP, suspend) and had sent nothing begins anew, once: the time
// that it slept through is not the listener's fault.
//
// Text that the listener chose (reason phrase, Location, names in certificates) reaches an error
// only with control characters escaped and its length bounded. The configured secrets are cut out
// of it, since listeners echo requests: also as they are encoded in HTML, URLs, JSON, hexadecimal
// and base64.
//
// A silent name server costs a second and a dead address a quarter of one, if there is another (RFC
// 8305). The address that worked is used first and without a lookup from then on.
//
// A TLS session can outlive the process ([Transmitter.ResumeFrom]). It ends when a certificate, a
// secret or the address changes, within a day, and with the listener's certificate. A session that
// fails costs a connection, and no delivery if there is a key. Whenever the first request on a
// session gets no answer, this process resumes no session any more and keeps none for the next. So
// a listener that works only after a whole handshake is given one, at the latest by the next run.
//
// # What a crash leaves behind
//
// Nothing on disk. The listener may or may not have taken a request in flight. Sent again, the item
// carries the same Idempotency-Key. The caller provides it.
//
// # What it does not do
//
// No HTTP/2 (one item per connection gains nothing from it), no cookies, no redirects, no Expect:
// 100-continue (one more round trip for payloads that are almost always taken). It has no advice to
// give: an [Error] names its [Cause], and the program words what to do about it.
package transmit
