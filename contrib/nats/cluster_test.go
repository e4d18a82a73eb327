package nats_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// cluster is three servers of nats-server.conf, with the stream of stream.json.
type cluster struct {
	t       testing.TB
	nodes   []*node
	options clusterOptions
	trusted certificate
	js      jetstream.JetStream
}

// clusterOptions change what the example says.
type clusterOptions struct {
	program string   // of the servers; "": the test binary
	plain   bool     // without TLS, so that the wire can be read
	change  []string // further pairs for replaceEach
}

// newCluster starts the servers and makes the stream.
func newCluster(t testing.TB, o clusterOptions) *cluster {
	t.Helper()
	c := &cluster{t: t, options: o, trusted: newCertificate(t)}
	text, err := os.ReadFile("nats-server.conf")
	if err != nil {
		t.Fatal(err)
	}
	addresses := freeAddresses(t, 6)
	for i := range 3 {
		n := &node{t: t, name: fmt.Sprintf("nats%d", i+1), dir: t.TempDir(), address: addresses[i], program: o.program}
		config := replaceEach(t, string(text), append([]string{
			"server_name: nats1", "server_name: " + n.name,
			"listen: 0.0.0.0:4222", "listen: " + n.address,
			"listen: 0.0.0.0:6222", "listen: " + addresses[3+i],
			"nats-route://nats1:6222", "nats-route://" + addresses[3],
			"nats-route://nats2:6222", "nats-route://" + addresses[4],
			"nats-route://nats3:6222", "nats-route://" + addresses[5],
			"/etc/nats/tls.crt", c.trusted.file, "/etc/nats/tls.key", c.trusted.key,
			"store_dir: /var/lib/nats", "store_dir: " + n.dir,
		}, o.change...)...)
		if o.plain {
			before, rest, _ := strings.Cut(config, "tls {")
			_, after, _ := strings.Cut(rest, "}")
			config = before + after
		}
		n.config = filepath.Join(n.dir, "nats-server.conf")
		if err := os.WriteFile(n.config, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		c.nodes = append(c.nodes, n)
		t.Cleanup(n.report)
		n.start()
	}
	if c.js, err = jetstream.New(c.connect("admin:change-me-3")); err != nil {
		t.Fatal(err)
	}
	c.makeStream()
	return c
}

// connect connects as a user, whenever the first server is up.
func (c *cluster) connect(user string) *nats.Conn {
	c.t.Helper()
	options := []nats.Option{nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true), nats.ReconnectWait(50 * time.Millisecond)}
	if !c.options.plain {
		options = append(options, nats.RootCAs(c.trusted.file))
	}
	conn, err := nats.Connect(c.url(user), options...)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(conn.Close)
	return conn
}

func (c *cluster) scheme() string {
	if c.options.plain {
		return "nats://"
	}
	return "tls://"
}

func (c *cluster) addresses() (all []string) {
	for _, n := range c.nodes {
		all = append(all, n.address)
	}
	return all
}

// url is that of all servers, for nats.go.
func (c *cluster) url(user string) string {
	return c.scheme() + user + "@" + strings.Join(c.addresses(), ","+c.scheme()+user+"@")
}

// freeAddresses finds addresses on which nobody listens.
func freeAddresses(t testing.TB, n int) (all []string) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		all = append(all, l.Addr().String())
	}
	return all
}

// replaceEach replaces each of the strings at even places, which must be there once, by its
// successor.
func replaceEach(t testing.TB, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if n := strings.Count(text, pairs[i]); n != 1 {
			t.Fatalf("the configuration holds %q %d times", pairs[i], n)
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}
