// Consumer writes each message of the stream into a file that is named by its key, and acknowledges
// it when the disk has it. A message that comes twice replaces itself.
//
//	consumer tls://consumer:PASSWORD@nats1:4222,tls://nats2:4222 CA-FILE DIRECTORY
package main

import (
	"context"
	"log"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func main() {
	dir := must(os.Open(os.Args[3]))
	conn := must(nats.Connect(os.Args[1], nats.RootCAs(os.Args[2]), nats.MaxReconnects(-1)))
	// The server remembers under the durable name how far the consumer has come.
	consumer := must(must(jetstream.New(conn)).CreateOrUpdateConsumer(context.Background(), "items",
		jetstream.ConsumerConfig{Durable: "files", AckPolicy: jetstream.AckExplicitPolicy, AckWait: 10 * time.Second}))
	messages := must(consumer.Messages(jetstream.PullMaxMessages(100)))
	for {
		message := must(messages.Next())
		path := filepath.Join(dir.Name(), url.PathEscape(message.Headers().Get(jetstream.MsgIDHeader))+".json")
		f := must(os.Create(path + ".tmp"))
		must(f.Write(message.Data()))
		check(f.Sync())
		check(f.Close())
		check(os.Rename(path+".tmp", path))
		check(dir.Sync())
		check(message.Ack())
	}
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
