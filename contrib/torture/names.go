//go:build linux && (amd64 || arm64)

package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// nameCase is the name of a listener and what becomes of it.
type nameCase struct {
	name      string
	addresses []string // of the name, in the hosts file; none: the name server is asked
	listens   string   // address of the listener
	blackhole string   // an address that swallows connections
	dns       []nameServer
	flags     []string
	code      int
	message   string
}

// unsteadyNames gives the listener a name of which one address is dead, or that stops resolving.
// The process has a hosts file and a name server of its own, mounted over the machine's.
func unsteadyNames(t *torture, r *result) {
	if os.Geteuid() != 0 {
		r.skipf("mounting a hosts file for one process needs root")
		return
	}
	says := func(a dnsAnswer) nameServer { return func(question) dnsAnswer { return a } }
	found := says(dnsFound)
	foundOnce := func(q question) dnsAnswer { return []dnsAnswer{dnsFound, dnsNone}[min(q.n, 1)] }
	onlyIPv4 := func(q question) dnsAnswer {
		if q.ipv4 {
			return dnsFound
		}
		return dnsSilent
	}
	both, reversed := []string{"127.0.0.1", "::1"}, []string{"::1", "127.0.0.1"}
	cases := []nameCase{
		{name: "IPv4 address refuses, IPv6 works", addresses: both, listens: "::1"},
		{name: "IPv6 address refuses, IPv4 works", addresses: reversed, listens: "127.0.0.1"},
		{name: "IPv6 address swallows, IPv4 works", addresses: reversed, listens: "127.0.0.1", blackhole: "::1"},
		{name: "one IPv4 address refuses, the other works", addresses: []string{"127.0.0.2", "127.0.0.1"}, listens: "127.0.0.1"},
		{name: "first IPv4 address swallows, the other works", addresses: []string{"127.0.0.2", "127.0.0.1"}, listens: "127.0.0.1", blackhole: "127.0.0.2"},
		{name: "the only address swallows", addresses: []string{"127.0.0.1"}, blackhole: "127.0.0.1", code: 69, message: "no connection within"},
		{name: "name resolves", dns: []nameServer{found}, listens: "127.0.0.1"},
		{name: "name stops resolving after the first lookup", dns: []nameServer{foundOnce}, listens: "127.0.0.1"},
		{name: "name does not resolve", dns: []nameServer{says(dnsNone)}, code: 69, message: "no such host"},
		{name: "name server fails", dns: []nameServer{says(dnsFailure)}, code: 69, message: "server misbehaving"},
		{name: "name server never answers", dns: []nameServer{says(dnsSilent)}, code: 69, message: "no answer in time"},
		{name: "name server sends garbage", dns: []nameServer{says(dnsGarbage)}, code: 69, message: "no answer in time"},
		{name: "first name server never answers, the second does", dns: []nameServer{says(dnsSilent), found}, listens: "127.0.0.1"},
		{name: "name server answers for IPv4 alone", dns: []nameServer{onlyIPv4}, listens: "127.0.0.1"},
		{name: "name server is slow", dns: []nameServer{says(dnsSlow)}, listens: "127.0.0.1", flags: []string{"--timeout", "5s"}},
	}
	if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
		r.notef("not run: the cases with IPv6, which this machine lacks")
		cases = cases[3:]
	} else {
		l.Close()
	}
	t.each(r, len(cases), func(i int) { t.nameRound(r, cases[i], i) })
}

func (t *torture) nameRound(r *result, c nameCase, n int) {
	e := t.newEnv("")
	defer e.end()
	e.object("a.json", item(1, "200"))
	e.array("b.json", item(2, "200"), item(3, "200"))
	e.endpoint.answers(func(string) answer { return answer{status: 200, close: true} }) // each request makes a connection

	port := "0"
	if c.listens != "" {
		socket, err := net.Listen("tcp", net.JoinHostPort(c.listens, port))
		e.must(err)
		defer socket.Close()
		t.listener.listenOn(socket)
		_, port, _ = net.SplitHostPort(socket.Addr().String())
	}
	if c.blackhole != "" {
		var closeAll func()
		var err error
		closeAll, port, err = listenAndSwallow(net.JoinHostPort(c.blackhole, port))
		e.must(err)
		defer closeAll()
	}
	if port == "0" {
		port = "9" // the name will not resolve
	}
	resolvers := ""
	for i, server := range c.dns {
		address := net.IPv4(127, 77, byte(i), byte(n+1)).String()
		s, err := server.serve(address + ":53")
		e.must(err)
		defer s.Close()
		resolvers += "nameserver " + address + "\n"
	}
	hosts := ""
	for _, a := range c.addresses {
		hosts += a + " listener.test\n"
	}
	write := func(name, text string) string {
		path := filepath.Join(e.dir, name)
		e.must(os.WriteFile(path, []byte(text), 0o644))
		return path
	}
	e.url = "http://listener.test:" + port + "/" + e.name
	p := e.spoolfwd("run", append([]string{"--concurrency", "1", "--connect-timeout", "1s", "--timeout", "2s", "--failure-threshold", "2"}, c.flags...)...)
	p.mounts = map[string]string{"/etc/hosts": write("hosts", hosts), "/etc/resolv.conf": write("resolv.conf", resolvers)}
	o := e.runToEnd(r, c.name, p)
	r.round(1)
	r.verbosef("%-45s exit code %2d in %5.2f s", c.name, o.code, o.took.Seconds())
	if o.code != c.code || !strings.Contains(o.stderr, c.message) || c.message == "" && o.stderr != "" {
		r.failf("%s: want exit code %d and a message with %q\n%s", c.name, c.code, c.message, o)
	}
	if limit := 15 * time.Second; o.took > limit {
		r.failf("%s: the run took %v, more than %v", c.name, o.took, limit)
	}
	r.checkInventory(c.name, e.takeInventory(), 0)
	e.finish(r, c.name, 0)
}

// listenAndSwallow listens with a queue that is full, so that the kernel drops connections.
func listenAndSwallow(address string) (closeAll func(), port string, err error) {
	socket, err := net.Listen("tcp", address)
	if err != nil {
		return nil, "", err
	}
	control, err := socket.(*net.TCPListener).SyscallConn()
	if err != nil {
		return nil, "", err
	}
	control.Control(func(fd uintptr) { err = unix.Listen(int(fd), 0) }) // shortens the queue
	if err != nil {
		return nil, "", err
	}
	var open []net.Conn
	for range 8 {
		c, err := net.DialTimeout("tcp", socket.Addr().String(), 100*time.Millisecond)
		if err != nil {
			break // the queue is full
		}
		open = append(open, c)
	}
	_, port, _ = net.SplitHostPort(socket.Addr().String())
	return func() {
		for _, c := range open {
			c.Close()
		}
		socket.Close()
	}, port, nil
}
