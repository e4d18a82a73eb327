// Package h1 exchanges one HTTP/1.1 request for one answer, on one connection, in the goroutine
// that asks for it. It has no policy: its caller decides which answers are good, when a second
// request is made, and how to tell a person.
//
// # What it promises
//
// [Conn.RoundTrip] returns an answer only if a final status line and complete headers came back
// after the request began to leave. Bytes that were there before are never taken for an answer: a
// connection is looked at before each request, and one with anything on it is given up. Before the
// first request of a client this look waits for twice the time that connecting took, 2 to 10 ms,
// because a peer that speaks first needs a moment to begin. It does so again after a kept
// connection was found dead, and for every connection if none are kept. A peer that speaks first on
// other connections only is heard if its words are there in time.
//
// A connection is kept only if the next answer is certain to begin where this one ended. Whenever
// the end of an answer is in doubt, the status stands and the connection is closed.
//
// A TLS session is resumed by later connections for a day at most after the peer has shown its
// certificate. Sessions are given up for good once one has failed, in its handshake or in the first
// exchange after it. [Client.Open] connects once more after a handshake that has failed so, for
// which there was half of the time.
//
// An exchange ends at its limit, whatever the peer does, or a tenth of a second later where an
// answer may have been waiting: the peer stopped reading the request, or this process was stopped.
// Memory is bounded: 64 KiB of headers, 16 interim answers, and of the body what the caller has
// room for.
//
// # Why it is not net/http
//
// The client of net/http gives every connection a reading and a writing goroutine, and every
// request is handed from one to the next. Here the caller's goroutine writes and reads: one look,
// one write, one read, no allocation. `make bench` measures whole runs against a net/http loop;
// contrib/doc/performance.md has the figures. The program does not import net/http, whose
// initialization each run of a timer would pay.
//
// Little of HTTP is needed for that: a request whose head and body are in memory, and of the answer
// the status, seven headers, the one that the caller expects, and the place where it ends.
// FuzzResponseAgainstNetHTTP gives the same bytes to net/http. Status, length of the body, use of
// the connection and the place where the next answer begins agree, or a table says why not. In no
// difference of that table is a connection used again that net/http gives up.
//
// # What it does not do
//
// No HTTP/2, no redirects, no cookies, no decompression, no Expect: 100-continue, no second
// request.
//
// HTTP/1.1 gives an answer nothing that names its request. So an answer that a peer sends unasked
// after the look, and before it has read the request, cannot be told from a real one, on a new
// connection or on a kept one. For kept ones, MaxIdle 0 helps. For new ones nothing helps against a
// peer that is slower to speak first than the look waits.
package h1
