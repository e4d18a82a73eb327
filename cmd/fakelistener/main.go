// Command fakelistener is an HTTP listener that behaves as badly as a script tells it to. It stands
// in for a central listener in tests and in CI smoke tests of whatever sends to one.
//
// It promises that each request that arrives whole is counted exactly once, before its answer is
// written: a client that holds an answer finds it in the counts, in the record directory and in the
// log. A request that the client cut off is counted as cut off and as nothing else. A delivery is a
// 2xx that was decided on. Like a real listener, this one does not know whether the client was
// still there to read it.
//
// It speaks HTTP/1.0 and HTTP/1.1 itself, one goroutine per connection, over http.ReadRequest.
// Resets, half answers and silence need the bare connection anyway, and net/http's server says
// nothing of requests that were malformed or cut off in their headers, which are counted here.
// Beside a client under measurement a listener must also take as little of the machine as it can.
// net/http's server adds a background read and a context to every request. With an empty handler it
// took a third more CPU time for each request of 1 KiB than this one does with all it counts.
//
// A crash leaves behind the address file, the record files written so far and at most one temporary
// whose name begins with a dot. Nothing is synced to disk.
//
// It is deliberately not a conforming server: it knows no HTTP/2, routes nothing (every path but
// /_control/ is the listener), sets no timeouts of its own (slow clients are welcome), and keeps
// digests instead of the keys and bodies it saw. Among a million of them, two are mistaken for
// equal in about one run of 30 million.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args, os.Stdout, os.Stderr))
}
