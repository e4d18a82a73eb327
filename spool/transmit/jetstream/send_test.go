package jetstream

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

func item() transmit.Request {
	return transmit.Request{Body: []byte(`{"a":1}`), Key: `k-"1"`, Host: "web.1", Name: "a b.json"}
}

func TestAnItemBecomesOneMessageUnderItsKey(t *testing.T) {
	s := startServer(t, &fakeServer{})
	tr := newTransmitter(t, Config{URL: s.url("ORDERS.{host}.{name}"), Headers: []string{"X-From: {name}", "Content-Type: text/plain"}})
	v := tr.Send(t.Context(), item())
	if v.Action != transmit.Delivered || v.Status != 200 || v.Err != nil || v.Latency <= 0 {
		t.Fatalf("the verdict is %+v, want delivered", v)
	}
	want := message{Subject: "ORDERS.web%2E1.a%20b%2Ejson", Body: `{"a":1}`}
	got := s.got()
	if len(got) != 1 || got[0].Subject != want.Subject || got[0].Body != want.Body {
		t.Fatalf("the server got %+v, want one message like %+v", got, want)
	}
	for name, value := range map[string]string{"Nats-Msg-Id": `k-"1"`, "Content-Type": "text/plain", "X-From": "a%20b.json"} {
		if got[0].Header[name] != value {
			t.Errorf("the header %s is %q, want %q", name, got[0].Header[name], value)
		}
	}
}

func TestEveryAnswerHasItsVerdict(t *testing.T) {
	failure := func(code, errCode, text string) string {
		return `{"stream":"S","seq":0,"error":{"code":` + code + `,"err_code":` + errCode + `,"description":"` + text + `"}}`
	}
	for _, test := range []struct {
		name, subject, answer string
		action                transmit.Action
		status                int
		cause                 transmit.Cause
	}{
		{"stored", "S", ack, transmit.Delivered, 200, 0},
		{"a duplicate", "S", `{"stream":"S","seq":7,"duplicate":true}`, transmit.Delivered, 200, 0},
		{"a shared subject is full", "S.{host}", failure("503", "10077", "maximum messages per subject exceeded"), transmit.Kept, 503, transmit.NATSStreamFull},
		{"the stream has its messages", "S.{key}", failure("503", "10077", "maximum messages exceeded"), transmit.Kept, 503, transmit.NATSStreamFull},
		{"the stream has its bytes", "S", failure("503", "10077", "maximum bytes exceeded"), transmit.Kept, 503, transmit.NATSStreamFull},
		{"the disk is full", "S", failure("503", "10023", "insufficient resources"), transmit.Kept, 503, transmit.NATSStreamFull},
		{"larger than the stream takes", "S", failure("400", "10054", "message size exceeds maximum allowed"), transmit.Rejected, 413, transmit.NATSTooLarge},
		{"larger than a file store takes", "S", failure("503", "10077", "message too large"), transmit.Rejected, 413, transmit.NATSTooLarge},
		{"headers are too large", "S", failure("400", "10097", "header size exceeds maximum allowed of 64k"), transmit.Rejected, 413, transmit.NATSTooLarge},
		{"sealed", "S", failure("400", "10109", "invalid operation on sealed stream"), transmit.Kept, 400, transmit.NATSUnavailable},
		{"too many requests", "S", failure("429", "10167", "too many requests"), transmit.Kept, 429, transmit.NATSUnavailable},
		{"an error without a stream", "S", `{"error":{"code":404,"err_code":10059,"description":"stream not found"}}`, transmit.Kept, 404, transmit.NATSUnavailable},
		{"another program's answer", "S", "OK", transmit.Kept, 0, transmit.NATSNotStored},
		{"another program's JSON", "S", `{"stream":"S"}`, transmit.Kept, 0, transmit.NATSNotStored},
		{"no answer in the answer", "S", "", transmit.Kept, 0, transmit.NATSNotStored},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := startServer(t, &fakeServer{message: func(c *client, m message) { c.answer(m, test.answer) }})
			v := newTransmitter(t, Config{URL: s.url(test.subject)}).Send(t.Context(), item())
			wantVerdict(t, v, test.action, test.status, test.cause)
			if v.Action == transmit.Rejected && len(v.Excerpt) == 0 {
				t.Error("the reason of a rejection is missing")
			}
			if n := len(s.got()); n != 1 {
				t.Errorf("it was published %d times, want once", n)
			}
		})
	}
}

func wantVerdict(t *testing.T, v transmit.Verdict, action transmit.Action, status int, cause transmit.Cause) {
	t.Helper()
	var e *transmit.Error
	errors.As(v.Err, &e)
	switch {
	case v.Action != action || v.Status != status:
		t.Errorf("the verdict is %v with status %d, want %v with %d: %v", v.Action, v.Status, action, status, v.Err)
	case action == transmit.Delivered && v.Err != nil:
		t.Errorf("delivered, with the error %v", v.Err)
	case action != transmit.Delivered && (e == nil || e.Cause != cause):
		t.Errorf("the error %v has not the cause %d", v.Err, cause)
	}
}

func TestWhatIsNotStoredForTheMomentIsPublishedAgainUnderItsKey(t *testing.T) {
	for _, test := range []struct {
		name string
		once func(c *client, m message)
	}{
		{"no leader", (*client).noResponders},
		{"the message is in process", func(c *client, m message) {
			c.answer(m, `{"error":{"code":409,"err_code":10158,"description":"duplicate message id is in process"},"stream":"S","seq":0}`)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var asked atomic.Int64
			s := startServer(t, &fakeServer{message: func(c *client, m message) {
				if asked.Add(1) < 3 {
					test.once(c, m)
				} else {
					c.answer(m, ack)
				}
			}})
			wantVerdict(t, newTransmitter(t, Config{URL: s.url("S")}).Send(t.Context(), item()), transmit.Delivered, 200, 0)
			for _, m := range s.got() {
				if m.Header["Nats-Msg-Id"] != item().Key {
					t.Errorf("it was published under the id %q", m.Header["Nats-Msg-Id"])
				}
			}
		})
	}
}

func TestASubjectThatNothingTakesIsAFailureWhenTheTimeIsUp(t *testing.T) {
	s := startServer(t, &fakeServer{message: (*client).noResponders})
	tr := newTransmitter(t, Config{URL: s.url("S"), Timeout: time.Second})
	began := time.Now()
	v := tr.Send(t.Context(), item())
	wantVerdict(t, v, transmit.Kept, 503, transmit.NATSNoStream)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestAnItemLargerThanTheServerReadsIsRejectedUnsent(t *testing.T) {
	s := startServer(t, &fakeServer{info: map[string]any{"max_payload": 100}})
	v := newTransmitter(t, Config{URL: s.url("S")}).Send(t.Context(), transmit.Request{Body: make([]byte, 100), Key: "k"})
	wantVerdict(t, v, transmit.Rejected, 413, transmit.NATSTooLarge)
	if len(s.got()) != 0 || !strings.Contains(string(v.Excerpt), "max_payload of 100 bytes") {
		t.Errorf("the server got %v, and the reason is %q", s.got(), v.Excerpt)
	}
}

func TestASilentServerIsAFailureAndIsLeft(t *testing.T) {
	var asked atomic.Int64
	s := startServer(t, &fakeServer{message: func(c *client, m message) {
		if asked.Add(1) > 1 {
			c.answer(m, ack)
		}
	}})
	tr := newTransmitter(t, Config{URL: s.url("S"), Timeout: time.Second})
	v := tr.Send(t.Context(), item())
	wantVerdict(t, v, transmit.Kept, 0, transmit.NATSNoAnswer)
	if !v.Sent {
		t.Error("the verdict says that nothing was sent")
	}
	wantVerdict(t, tr.Send(t.Context(), item()), transmit.Delivered, 200, 0)
	if n := len(s.connects()); n != 2 {
		t.Errorf("there were %d connections, want a new one after the silence", n)
	}
}

func TestAConnectionThatEndsFailsTheRequestAtOnce(t *testing.T) {
	var asked atomic.Int64
	s := startServer(t, &fakeServer{message: func(c *client, m message) {
		if asked.Add(1) == 1 {
			c.Close()
			return
		}
		c.answer(m, ack)
	}})
	tr := newTransmitter(t, Config{URL: s.url("S"), Timeout: time.Minute})
	v := tr.Send(t.Context(), item())
	wantVerdict(t, v, transmit.Kept, 0, transmit.NATSConnectionLost)
	if !v.Sent {
		t.Error("the verdict says that nothing was sent")
	}
	wantVerdict(t, tr.Send(t.Context(), item()), transmit.Delivered, 200, 0)
	if n := len(s.got()); n != 2 {
		t.Errorf("it was published %d times, want once by each Send", n)
	}
}

func TestACancelledSendIsAborted(t *testing.T) {
	for _, where := range []string{"while it waits for the answer", "while it connects", "before it begins"} {
		t.Run(where, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			s := &fakeServer{message: func(*client, message) { cancel() }}
			switch where {
			case "while it connects":
				s.connect = func(c *client, _ map[string]any) bool { cancel(); untilClosed(c); return false }
			case "before it begins":
				cancel()
			}
			startServer(t, s)
			v := newTransmitter(t, Config{URL: s.url("S"), ConnectTimeout: time.Minute, Timeout: time.Minute}).Send(ctx, item())
			if v.Action != transmit.Aborted {
				t.Errorf("the verdict is %+v, want aborted", v)
			}
		})
	}
}

func untilClosed(c net.Conn) {
	for b := make([]byte, 1); ; {
		if _, err := c.Read(b); err != nil {
			return
		}
	}
}

func TestAMachineWithoutDescriptorsIsNotTheServersFault(t *testing.T) {
	tr := newTransmitter(t, Config{URL: "nats://a,b/S", Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: syscall.EMFILE}
	}})
	wantVerdict(t, tr.Send(t.Context(), item()), transmit.Aborted, 0, transmit.NoDescriptors)
}

func TestManyRequestsShareOneConnection(t *testing.T) {
	s := startServer(t, &fakeServer{})
	tr := newTransmitter(t, Config{URL: s.url("S")})
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() { wantVerdict(t, tr.Send(t.Context(), item()), transmit.Delivered, 200, 0) })
	}
	all.Wait()
	if n := len(s.connects()); n != 1 {
		t.Errorf("there were %d connections, want one", n)
	}
}

// A server that stops reading fills the buffers of the network. A write that does not end must not
// hold a Send for longer than it may take.
func TestAServerThatStopsReadingHoldsNobody(t *testing.T) {
	s := startServer(t, &fakeServer{info: map[string]any{"max_payload": 64 << 20}, subject: nil})
	release := make(chan struct{})
	s.message = func(*client, message) { <-release }
	tr := newTransmitter(t, Config{URL: s.url("S"), Timeout: 500 * time.Millisecond})
	body := make([]byte, 16<<20)
	var all sync.WaitGroup
	began := time.Now()
	for range 4 {
		all.Go(func() {
			if v := tr.Send(t.Context(), transmit.Request{Body: body, Key: "k"}); v.Action != transmit.Kept {
				t.Errorf("the verdict is %+v, want kept", v)
			}
		})
	}
	all.Wait()
	close(release)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}
