// Package jetstream publishes one item into a stream of NATS JetStream and returns one verdict. It
// is the second transmitter beside package transmit, and keeps the same contract. Package nats.go
// speaks the protocol.
//
// # What it promises
//
// One [Transmitter.Send] publishes one item, and returns within Config.Timeout. It publishes again
// only after an answer that says that nothing was stored: no stream took the subject, as while a
// leader is elected. Every time it is under the same Nats-Msg-Id, which is [transmit.Request.Key],
// so a stream stores the item once within its duplicate window, whoever sends it, and through
// whichever server.
//
//	answer                                              payload
//	acknowledgement of a stream, of a new or known key  delivered
//	the subject holds the key and is full, and
//	the stream shows the item there when it is asked    delivered
//	too large for the server or the stream              rejected
//	every other answer, and none                        kept
//	cancelled, or this machine ran out of something     aborted
//
// No message waits in a buffer for a better time. Reconnecting is not left to the library: a
// connection that ends fails the requests that wait on it, and the next request makes a new one, to
// any of the servers. After a request that got no answer the next one makes a new connection, too.
//
// # What a crash leaves behind
//
// Nothing on disk. The stream may or may not have stored a message in flight.
//
// # What it does not do
//
// An acknowledgement promises what the stream and its servers are configured to promise. By default
// servers write to disk without waiting for it. [Transmitter.Inspect] returns how a stream is
// configured.
//
// It does not bound what the library reads. A server that announces a message of more bytes than
// there is memory ends the process by a panic. Nothing is lost, but the breaker learns nothing.
package jetstream
