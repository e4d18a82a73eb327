// Package transmit sends one item as one HTTP request and returns one verdict.
//
// # What it promises
//
// One [Transmitter.Send] puts at most one request on the wire. Nothing is sent again here, and a redirect is never
// followed: Go's own client turns a 302 on POST into a GET, whose 200 would look like a delivery. A verdict of
// [Delivered] means that every byte of the item was handed to the connection and that a final 2xx status line with
// complete headers came back after it. What follows those headers decides nothing; it is read to a bound, so that the
// connection can serve the next item.
//
// Every call ends within Config.Timeout (and a tenth of a second when the listener stopped reading), whatever the
// listener does, and holds a bounded amount of memory: 64 KiB of answer headers, 16 interim answers, 2 KiB of body to
// show. Text that the listener chose (reason phrase, Location, certificate names) reaches an error only with control
// characters escaped and its length bounded; the configured secrets are cut out of it, since listeners echo requests.
//
// # Why not net/http
//
// The client of net/http gives every connection a reading and a writing goroutine. At one connection, which is what
// strict order and an ailing listener ask for, most of its time goes into handing over between them. Here the goroutine
// that calls Send writes and reads: one write, one look at the connection, one read, no allocation.
//
// An own exchange is safe because so little of HTTP is needed: POST, a body of known length, and of the answer only the
// status, five headers and where it ends. The reader is strict where a mistake could take one answer for another (status line,
// framing, anything unasked for on the connection) and has a way out that net/http has not: whenever the end of an
// answer is in doubt, the verdict stands and the connection is closed. Not importing net/http also saves about 1 MiB of
// binary and its share of the start-up time.
//
// # What a crash leaves behind
//
// Nothing on disk. A request in flight may or may not have been taken by the listener; sent again, it carries the same
// Idempotency-Key, which is the caller's to provide.
//
// # What it does not do
//
// No retries, no HTTP/2 (one item per connection gains nothing from it), no cookies, no redirects, no decompression of
// answers, no Expect: 100-continue (one more round trip for payloads that are almost always taken), no Unix sockets.
package transmit
