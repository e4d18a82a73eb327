package transmit

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

func TestASendOnAnIdleConnectionAllocatesNothing(t *testing.T) {
	for _, length := range []int{1000, 100_000} {
		// The listener shares the process, so it must not allocate either: it reads requests of a
		// known size.
		size := make(chan int, 1)
		l := listen(t, nil, func(c net.Conn, _ int) {
			buffer := make([]byte, <-size)
			answer := []byte("HTTP/1.1 200 OK\r\nDate: Sat, 22 Nov 2025 12:00:00 GMT\r\nContent-Length: 2\r\n\r\n{}")
			for {
				if _, err := io.ReadFull(c, buffer); err != nil {
					return
				}
				if _, err := c.Write(answer); err != nil {
					return
				}
			}
		})
		tr := newTransmitter(t, Config{URL: l.url()})
		r := Request{Body: bytes.Repeat([]byte("x"), length), Key: "0123456789abcdef"}
		size <- len(tr.appendHead(nil, r, length)) + length
		n := testing.AllocsPerRun(100, func() {
			if v := tr.Send(context.Background(), r); v.Action != Delivered {
				t.Error(v.Err)
			}
		})
		if n != 0 {
			t.Errorf("a send of %d bytes makes %v allocations, want none", length, n)
		}
	}
}

func TestDescriptorsStayFlat(t *testing.T) {
	good := listen(t, nil, answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	rude := listen(t, nil, answering("HTTP/1.1 500 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")) // a new connection each
	var transmitters []*Transmitter
	for _, l := range []*rawListener{good, rude} {
		tr := newTransmitter(t, Config{URL: l.url()})
		send(tr, "{}")
		transmitters = append(transmitters, tr)
	}
	before := descriptors(t)
	for n := range 10_000 {
		which := 0
		if n%10 == 0 {
			which = 1
		}
		send(transmitters[which], "{}")
	}
	// The listener is in this process: its ends of closed connections may take a moment.
	if after := descriptors(t); after > before+10 {
		t.Errorf("10,000 sends left %d open descriptors, %d before", after, before)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		need.Refused(t, "the open descriptors cannot be counted here: %v", err)
	}
	return len(entries)
}

func TestOurOwnFaultsAreNotTheListeners(t *testing.T) {
	dialError := func(errno syscall.Errno) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", errno)}
	}
	for _, c := range []struct {
		err    error
		action Action
		want   string
		cause  Cause
	}{
		{dialError(syscall.EMFILE), Aborted, "too many open files", NoDescriptors},
		{dialError(syscall.ENFILE), Aborted, "", NoResources},
		{dialError(syscall.ENOMEM), Aborted, "", NoResources},
		{dialError(syscall.ENOBUFS), Aborted, "", NoResources},
		{&net.DNSError{Err: "dial udp 10.0.0.53:53: socket: " + syscall.EMFILE.Error(), Name: "x"}, Aborted, "too many open files", NoDescriptors},
		{dialError(syscall.ECONNREFUSED), Kept, "connecting: connection refused", Refused},
		{dialError(syscall.EADDRNOTAVAIL), Kept, "connecting: ", Unknown},
		{dialError(syscall.ENETUNREACH), Kept, "connecting: network is unreachable", Unknown},
		{dialError(syscall.EHOSTUNREACH), Kept, "connecting: no route to host", Unknown},
		{dialError(syscall.EACCES), Kept, "connecting: permission denied", Unknown},
		{&net.DNSError{Err: "no such host", Name: "no.where", IsNotFound: true}, Kept, "no such host: no.where", NoSuchHost},
		{&net.DNSError{Err: "i/o timeout", Name: "no.where", IsTimeout: true}, Kept, "the lookup of no.where got no answer in time", SlowLookup},
		{&net.DNSError{Err: "read udp 10.0.0.1:41234->10.0.0.53:53: connection refused", Name: "no.where"}, Kept, "the lookup of no.where failed: read udp 10.0.0.53:53: connection refused", LookupFailed},
		{errRefusedInTest, Kept, "connecting: refused by the test", Unknown},
	} {
		tr := newTransmitter(t, Config{Dial: func(context.Context, string, string) (net.Conn, error) { return nil, c.err }})
		v := send(tr, "{}")
		mustHold(t, v, c.action, 0, c.want)
		mustHaveCause(t, v.Err, c.cause)
		if !errors.Is(v.Err, c.err) {
			t.Errorf("%v has lost its cause", v.Err)
		}
	}
}

// The real thing: no descriptor is left for a socket, or for what a lookup opens.
func TestWithoutDescriptorsARequestIsAborted(t *testing.T) {
	l := listen(t, nil, answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
	_, port, _ := net.SplitHostPort(l.address)
	byAddress := newTransmitter(t, Config{URL: l.url()})
	// Go's own resolver, because that of libc may wait for descriptors until the time is up.
	byName := newTransmitter(t, Config{URL: fmt.Sprintf("http://localhost:%s", port), Resolver: &net.Resolver{PreferGo: true}})
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		need.Refused(t, "the limit of open files cannot be read here: %v", err)
	}
	none := limit
	none.Cur = 0
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		need.Refused(t, "the limit of open files cannot be set here: %v", err)
	}
	first, second := send(byAddress, "{}"), send(byName, "{}")
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	mustHold(t, first, Aborted, 0, "too many open files")
	mustHold(t, second, Aborted, 0, "")
	mustHold(t, send(byAddress, "{}"), Delivered, 200, "")
}

// Two failures of one kind read the same, so that they can be counted as one.
func TestFailuresOfOneKindHaveTheSameError(t *testing.T) {
	for name, do := range map[string]func(net.Conn, int){
		"resets":      func(c net.Conn, _ int) { c.Read(make([]byte, 4096)); tcpOf(c).SetLinger(0) },
		"closes":      func(c net.Conn, _ int) { c.Read(make([]byte, 4096)) },
		"answers 500": answering("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"),
	} {
		for _, secure := range []bool{false, true} {
			ca, config := tlsFor(t, secure)
			l := listen(t, config, do)
			tr := newTransmitter(t, Config{URL: scheme(secure) + l.address, CAFile: ca})
			first, second := send(tr, "{}"), send(tr, "{}")
			if first.Err.Error() != second.Err.Error() {
				t.Errorf("a listener that %s gives %q and %q", name, first.Err, second.Err)
			}
			if strings.Count(first.Err.Error(), l.address) != 1 {
				t.Errorf("a listener that %s gives addresses beside the URL: %q", name, first.Err)
			}
		}
	}
}

func TestANameWithADeadAddressIsReachedByTheOther(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Skipf("there is no %s here: %v", address, err)
		}
		served := make(chan bool)
		go func() {
			defer close(served)
			if c, err := l.Accept(); err == nil {
				answering("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")(c, 1)
				c.Close()
			}
		}()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		v := send(newTransmitter(t, Config{URL: "http://listener.test.:" + port, Resolver: resolver(t, always(tells("127.0.0.1", "::1")))}), "{}")
		l.Close()
		<-served
		mustHold(t, v, Delivered, 200, "")
	}
}

// An open connection needs no name; a new one does.
func TestANameThatStopsResolvingFailsOnlyNewConnections(t *testing.T) {
	closeNow := make(chan bool, 1)
	l := listen(t, nil, func(c net.Conn, _ int) {
		br := bufio.NewReader(c)
		for readRequest(br) == nil {
			select {
			case <-closeNow:
				io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
				return
			default:
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
		}
	})
	lookups := 0
	tr := newTransmitter(t, Config{URL: "http://listener.test", Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		if lookups++; lookups > 1 {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "listener.test", IsNotFound: true}}
		}
		return new(net.Dialer).DialContext(ctx, network, l.address)
	}})
	mustHold(t, send(tr, "{}"), Delivered, 200, "")
	closeNow <- true
	mustHold(t, send(tr, "{}"), Delivered, 200, "")
	mustHold(t, send(tr, "{}"), Kept, 0, "no such host: listener.test")
}

// The system calls it an invalid argument.
func TestALinkLocalAddressWithoutAnInterfaceHasACause(t *testing.T) {
	t.Parallel()
	tr := newTransmitter(t, Config{URL: "http://[fe80::1]:8080/", Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.EINVAL)}
	}})
	v := send(tr, "{}")
	mustHold(t, v, Kept, 0, "connecting: invalid argument")
	mustHaveCause(t, v.Err, NoInterface)
}
