package nats_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// exampleStream is what stream.json says.
func exampleStream(t testing.TB) (config jetstream.StreamConfig) {
	t.Helper()
	text, err := os.ReadFile("stream.json")
	if err == nil {
		err = json.Unmarshal(text, &config)
	}
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// makeStream makes the stream of stream.json, as `nats stream add --config stream.json` does.
func (c *cluster) makeStream() {
	c.t.Helper()
	config := exampleStream(c.t)
	c.until("the stream is made", func(ctx context.Context) error {
		_, err := c.js.CreateStream(ctx, config)
		return err
	})
	c.untilWhole()
}

// until tries until it succeeds.
func (c *cluster) until(what string, try func(ctx context.Context) error) {
	c.t.Helper()
	var err error
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(c.t.Context(), 2*time.Second)
		err = try(ctx)
		cancel()
		if err == nil {
			return
		}
	}
	c.t.Fatalf("%s: not within a minute: %v", what, err)
}

// untilWhole waits until the stream has a leader, and all servers have what it has.
func (c *cluster) untilWhole() {
	c.t.Helper()
	c.until("all servers have the stream", func(ctx context.Context) error {
		info, err := c.info(ctx)
		if err != nil {
			return err
		}
		current := 0
		for _, r := range info.Cluster.Replicas {
			if r.Current && !r.Offline {
				current++
			}
		}
		if info.Cluster.Leader == "" || current != 2 {
			return fmt.Errorf("the leader is %q, and %d others are current", info.Cluster.Leader, current)
		}
		return nil
	})
}

func (c *cluster) info(ctx context.Context) (*jetstream.StreamInfo, error) {
	stream, err := c.js.Stream(ctx, "items")
	if err != nil {
		return nil, err
	}
	return stream.Info(ctx)
}

// leader is the server that takes what is published.
func (c *cluster) leader() (leader *node) {
	c.t.Helper()
	c.until("the stream has a leader", func(ctx context.Context) error {
		info, err := c.info(ctx)
		if err != nil {
			return err
		}
		for _, n := range c.nodes {
			if n.name == info.Cluster.Leader && n.process != nil {
				leader = n
				return nil
			}
		}
		return fmt.Errorf("the leader is %q", info.Cluster.Leader)
	})
	return leader
}

// stepDown makes another server the leader.
func (c *cluster) stepDown() error {
	m, err := c.js.Conn().Request("$JS.API.STREAM.LEADER.STEPDOWN.items", nil, 5*time.Second)
	if err == nil && bytes.Contains(m.Data, []byte(`"error"`)) {
		err = fmt.Errorf("%s", m.Data)
	}
	return err
}

// stored returns the messages of the stream: their bodies by key. A key must be there once.
func (c *cluster) stored() map[string]string {
	c.t.Helper()
	var bodies map[string]string
	c.until("the stream is read", func(ctx context.Context) error {
		bodies = map[string]string{}
		stream, err := c.js.Stream(ctx, "items")
		if err != nil {
			return err
		}
		consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
		if err != nil {
			return err
		}
		for left := stream.CachedInfo().State.Msgs; left > 0; {
			batch, err := consumer.FetchNoWait(int(min(left, 500)))
			if err != nil {
				return err
			}
			for m := range batch.Messages() {
				key := m.Headers().Get(jetstream.MsgIDHeader)
				if _, twice := bodies[key]; twice {
					c.t.Errorf("the stream holds the key %s twice", key)
				}
				bodies[key] = string(m.Data())
				left--
			}
			if batch.Error() != nil {
				return batch.Error()
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		return nil
	})
	return bodies
}
