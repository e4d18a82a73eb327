package transmit

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A listener that has been given another certificate key, or a balancer's other machine, does not
// know the session. Few listeners end the connection, as the second does, instead of making a whole
// handshake. Neither is a failure of the listener or of the item.
func TestASessionThatFailsIsNotAFailure(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "known")
	pair, _ := ca.issue(t, tomorrow(), "127.0.0.1")
	config := &tls.Config{Certificates: []tls.Certificate{pair}}

	l := listenResuming(t, config)
	store := new(sessionsInMemory)
	cfg := Config{URL: "https://" + l.address, CAFile: ca.file}
	mustHold(t, runOnce(t, store, cfg), Delivered, 200, "")
	config.SetSessionTicketKeys([][32]byte{{1}})
	mustHold(t, runOnce(t, store, cfg), Delivered, 200, "")
	l.mustSee(t, false, false)

	refusing := config.Clone()
	refusing.UnwrapSession = func([]byte, tls.ConnectionState) (*tls.SessionState, error) {
		return nil, errors.New("this listener ends connections with an old session")
	}
	l = listenResuming(t, refusing)
	store = new(sessionsInMemory)
	cfg.URL = "https://" + l.address
	for range 2 {
		mustHold(t, runOnce(t, store, cfg), Delivered, 200, "")
	}
	l.mustSee(t, false, false)
	if n := l.accepted.Load(); n != 3 {
		t.Errorf("2 processes made %d connections, want 3: one for the session that failed", n)
	}
}

// After a failed session there is one more connection, and no third one.
func TestAListenerThatFailsWithAndWithoutASessionIsAskedTwice(t *testing.T) {
	t.Parallel()
	ca, config := tlsFor(t, true)
	var mu sync.Mutex
	working := true
	l := listen(t, nil, func(c net.Conn, number int) {
		mu.Lock()
		defer mu.Unlock()
		if !working {
			return
		}
		session := tls.Server(c, config)
		if readRequest(bufio.NewReader(session)) == nil {
			io.WriteString(session, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		}
	})
	store := new(sessionsInMemory)
	cfg := Config{URL: "https://" + l.address, CAFile: ca}
	mustHold(t, runOnce(t, store, cfg), Delivered, 200, "")
	mu.Lock()
	working = false
	mu.Unlock()
	mustHold(t, runOnce(t, store, cfg), Kept, 0, "TLS handshake")
	if n := l.accepted.Load(); n != 3 || store.sealed != nil {
		t.Errorf("there were %d connections, want 3, and the session is kept: %v", n, store.sealed != nil)
	}
	mustHold(t, runOnce(t, store, cfg), Kept, 0, "TLS handshake")
	if n := l.accepted.Load(); n != 4 {
		t.Errorf("there were %d connections, want 4: without a session there is no second one", n)
	}
}

// Some listeners take a session and then fail the request, because the machine that holds the
// session is not the one that serves the name. Every later run would fail like this one if the
// listener's next ticket were kept.
func TestARequestThatFailsOnlyOnAResumedSessionHasAWholeHandshake(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		key     string
		refusal string
		action  Action // of the run that resumes the session
		status  int
		seen    []bool // connections: whether they resumed a session
	}{
		{"it closes the connection", "key", "", Delivered, 200, []bool{false, true, false, false, true, false}},
		{"it answers 421", "key", "HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\n\r\n", Delivered, 200, []bool{false, true, false, false, true, false}},
		{"it answers 421 to a request without a key", "", "HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\n\r\n", Delivered, 200, []bool{false, true, false, false, true, false}},
		// The listener could not tell the second request from another item.
		{"it closes the connection of a request without a key", "", "", Kept, 0, []bool{false, true, false, true}},
		{"it answers something that is not HTTP", "key", "NO\r\n\r\n", Kept, 0, []bool{false, true, false, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ca, config := tlsFor(t, true)
			l := new(resuming)
			l.rawListener = listen(t, config, func(conn net.Conn, _ int) {
				resumed := l.note(conn)
				if readRequest(bufio.NewReader(conn)) != nil {
					return
				}
				if resumed {
					io.WriteString(conn, c.refusal)
				} else {
					io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				}
			})
			store := new(sessionsInMemory)
			for run := range 4 {
				tr := newTransmitter(t, Config{URL: "https://" + l.address, CAFile: ca})
				tr.ResumeFrom(store)
				v := tr.Send(context.Background(), Request{Body: []byte("{}"), Key: c.key})
				if err := tr.KeepSession(); err != nil {
					t.Error(err)
				}
				if resumes := run%2 == 1; resumes {
					mustHold(t, v, c.action, c.status, "")
				} else {
					mustHold(t, v, Delivered, 200, "")
				}
			}
			l.mustSee(t, c.seen...)
		})
	}
}

// Neither kept connections nor sessions may lead to a third request.
func TestTheRequestAfterADeadConnectionResumesNoSession(t *testing.T) {
	t.Parallel()
	ca, config := tlsFor(t, true)
	l := new(resuming)
	l.rawListener = listen(t, config, func(c net.Conn, number int) {
		l.note(c)
		br := bufio.NewReader(c)
		for n := 1; readRequest(br) == nil && (number > 1 || n == 1); n++ {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	tr := newTransmitter(t, Config{URL: "https://" + l.address, CAFile: ca})
	for range 3 {
		mustHold(t, send(tr, "{}"), Delivered, 200, "")
	}
	l.mustSee(t, false, false)
}

// endingTickets makes config that of a listener which ends every connection with a ticket, once
// before has returned.
func endingTickets(config *tls.Config, before func()) *tls.Config {
	config.UnwrapSession = func([]byte, tls.ConnectionState) (*tls.SessionState, error) {
		before()
		return nil, errors.New("this listener ends connections with a ticket")
	}
	return config
}

func TestAProcessOffersNoTicketAfterOneHasFailed(t *testing.T) {
	t.Parallel()
	ca, config := tlsFor(t, true)
	l := listenResuming(t, endingTickets(config, func() {}))
	tr := newTransmitter(t, Config{URL: "https://" + l.address, CAFile: ca, DisableKeepAlives: true})
	store := new(sessionsInMemory)
	tr.ResumeFrom(store)
	for range 4 {
		mustHold(t, send(tr, "{}"), Delivered, 200, "")
	}
	if n := l.accepted.Load(); n != 5 {
		t.Errorf("4 requests made %d connections, want 5: the second offers a ticket, once", n)
	}
	if err := tr.KeepSession(); err != nil || store.sealed != nil {
		t.Errorf("a session is kept after one has failed: %v (%v)", store.sealed != nil, err)
	}
}

// Another connection may be given a new ticket meanwhile, which would fail as well.
func TestTheSecondConnectionAfterAFailedTicketOffersNone(t *testing.T) {
	t.Parallel()
	ca, config := tlsFor(t, true)
	l := listenResuming(t, endingTickets(config, func() {}))
	second, another := make(chan bool), make(chan bool)
	dials := 0 // one at a time
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if dials++; dials == 3 {
			close(second)
			<-another
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	tr := newTransmitter(t, Config{URL: "https://" + l.address, CAFile: ca, DisableKeepAlives: true, Dial: dial})
	mustHold(t, send(tr, "{}"), Delivered, 200, "")
	var failing sync.WaitGroup
	failing.Go(func() { mustHold(t, send(tr, "{}"), Delivered, 200, "") })
	<-second
	mustHold(t, send(tr, "{}"), Delivered, 200, "") // and is given a ticket
	close(another)
	failing.Wait()
}

// A whole handshake and the request fit into the timeout after a ticket to which nobody answers.
func TestAListenerThatIsSilentAfterATicketCostsHalfTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, config := tlsFor(t, true) // for the time of the bubble
		gone := make(chan bool)
		endingTickets(config, func() { <-gone })
		store := new(sessionsInMemory)
		cfg := Config{URL: "https://localhost", CAFile: ca, Dial: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				defer theirs.Close()
				overTLS(config, func(c net.Conn) {
					answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")(c, 1)
				})(theirs)
			}()
			return ours, nil
		}}
		for run, want := range []time.Duration{0, 2500 * time.Millisecond, 0} {
			tr := newTransmitter(t, cfg)
			tr.ResumeFrom(store)
			begin := time.Now()
			mustHold(t, send(tr, "{}"), Delivered, 200, "")
			if took := time.Since(begin) - watched; took != want {
				t.Errorf("run %d took %v, want %v", run+1, took, want)
			}
			if err := tr.KeepSession(); err != nil {
				t.Error(err)
			}
			if kept, want := store.sealed != nil, run != 1; kept != want {
				t.Errorf("run %d keeps a session: %v, want %v", run+1, kept, want)
			}
			tr.Close()
		}
		close(gone)
		synctest.Wait()
	})
}
