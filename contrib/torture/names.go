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

// nameCase is a listener's name and what becomes of it.
type nameCase struct {
	name      string
	addresses []string // of the name, from the hosts file; none: asked of the name server
	at        string   // where the listener is
	hole      string   // an address that swallows connections
	dns       func(n int) dnsAnswer
	code      int
	tells     string
}

// unsteadyNames gives the listener a name of which one address is dead, or that
// stops resolving. Hosts file and name server are the process's own, mounted
// over the machine's.
func unsteadyNames(t *torture, r *result) {
	if os.Geteuid() != 0 {
		r.skip("it takes root to give a process a hosts file of its own")
		return
	}
	cases := []nameCase{
		{name: "IPv4 address refuses, IPv6 works", addresses: []string{"127.0.0.1", "::1"}, at: "::1"},
		{name: "IPv6 address refuses, IPv4 works", addresses: []string{"::1", "127.0.0.1"}, at: "127.0.0.1"},
		{name: "IPv6 address swallows, IPv4 works", addresses: []string{"::1", "127.0.0.1"}, at: "127.0.0.1", hole: "::1"},
		{name: "one IPv4 address refuses, the other works", addresses: []string{"127.0.0.2", "127.0.0.1"}, at: "127.0.0.1"},
		// Go gives an address of several at least two seconds, which is the
		// whole connect timeout: the other one has its turn when the name
		// server, or somebody, puts it first.
		{name: "first IPv4 address swallows, the other works", addresses: []string{"127.0.0.2", "127.0.0.1"}, at: "127.0.0.1", hole: "127.0.0.2", code: 69, tells: "no connection within"},
		{name: "the only address swallows", addresses: []string{"127.0.0.1"}, hole: "127.0.0.1", code: 69, tells: "no connection within"},
		{name: "name resolves", dns: func(int) dnsAnswer { return dnsFound }, at: "127.0.0.1"},
		{name: "name stops resolving", dns: func(n int) dnsAnswer { return []dnsAnswer{dnsFound, dnsNone}[min(n, 1)] }, at: "127.0.0.1", code: 69, tells: "no such host"},
		{name: "name server fails", dns: func(int) dnsAnswer { return dnsFailure }, code: 69, tells: "server misbehaving"},
		{name: "name server never answers", dns: func(int) dnsAnswer { return dnsSilent }, code: 69, tells: "no answer in time"},
		{name: "name server sends garbage", dns: func(int) dnsAnswer { return dnsGarbage }, code: 69, tells: "no answer in time"},
	}
	if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
		r.note("not run: IPv6, which this machine has not")
		cases = cases[3:]
	} else {
		l.Close()
	}
	t.each(r, len(cases), func(i int) { t.nameRound(r, cases[i], i) })
}

func (t *torture) nameRound(r *result, c nameCase, n int) {
	w := t.newWorld("")
	defer w.end()
	w.object("a.json", does(1, "200"))
	w.array("b.json", does(2, "200"), does(3, "200"))

	port := "9"
	if c.at != "" {
		h := w.hostile(r, net.JoinHostPort(c.at, "0"), behaviour{do: saysOnce(200, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")}, nil)
		defer h.close()
		_, port, _ = net.SplitHostPort(h.address)
	}
	if c.hole != "" {
		socket, found, err := swallow(c.hole, port)
		w.must(err)
		port = found
		defer socket()
	}
	server := net.IPv4(127, 77, 0, byte(n+1)).String()
	if c.dns != nil {
		s, err := serveNames(server+":53", c.dns)
		w.must(err)
		defer s.Close()
	}
	var hosts strings.Builder
	for _, a := range c.addresses {
		hosts.WriteString(a + " listener.test\n")
	}
	write := func(name, text string) string {
		path := filepath.Join(w.dir, name)
		w.must(os.WriteFile(path, []byte(text), 0o644))
		return path
	}
	w.url = "http://listener.test:" + port + "/"
	p := w.spoolfwd("run", "--concurrency", "1", "--connect-timeout", "1s", "--timeout", "2s", "--failure-threshold", "2")
	p.mounts = map[string]string{"/etc/hosts": write("hosts", hosts.String()), "/etc/resolv.conf": write("resolv.conf", "nameserver "+server+"\n")}
	o, err := p.run()
	w.must(err)
	r.round(1)
	w.check(r, c.name, o)
	r.say("%-45s exit code %2d in %5.2f s", c.name, o.code, o.took.Seconds())
	if o.code != c.code || !strings.Contains(o.stderr, c.tells) || c.tells == "" && o.stderr != "" {
		r.fail("%s: want exit code %d and a message with %q\n%s", c.name, c.code, c.tells, o.tell())
	}
	if limit := 10 * time.Second; o.took > limit {
		r.fail("%s: the run took %v, and no more than %v may be", c.name, o.took, limit)
	}
	w.checkStock(r, c.name, w.takeStock(), 0)
	w.goOn(r, c.name, 0)
}

// swallow listens where the kernel drops connections: a queue of length none,
// and full.
func swallow(address, port string) (closeAll func(), found string, err error) {
	family := unix.AF_INET
	if strings.Contains(address, ":") {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, "", err
	}
	f := os.NewFile(uintptr(fd), "hole")
	wanted, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(address, port))
	if port == "9" {
		wanted.Port = 0
	}
	if err == nil {
		err = unix.Bind(fd, sockaddr(wanted))
	}
	if err == nil {
		err = unix.Listen(fd, 0)
	}
	if err != nil {
		f.Close()
		return nil, "", err
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		f.Close()
		return nil, "", err
	}
	at := net.JoinHostPort(address, portOf(bound))
	var open []net.Conn
	for range 8 {
		c, err := net.DialTimeout("tcp", at, 100*time.Millisecond)
		if err != nil {
			break // full
		}
		open = append(open, c)
	}
	return func() {
		for _, c := range open {
			c.Close()
		}
		f.Close()
	}, portOf(bound), nil
}
