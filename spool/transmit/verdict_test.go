package transmit

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit/h1"
)

func TestEveryStatusHasItsVerdict(t *testing.T) {
	t.Parallel()
	var status atomic.Int64
	l := listen(t, nil, func(c net.Conn, _ int) {
		br := bufio.NewReader(c)
		for readRequest(br) == nil {
			fmt.Fprintf(c, "HTTP/1.1 %d Something\r\nContent-Length: 0\r\n\r\n", status.Load())
			if status.Load() < 200 { // interim: the final answer follows
				io.WriteString(c, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
			}
		}
	})
	standard := newTransmitter(t, Config{URL: l.url()})
	changed := newTransmitter(t, Config{URL: l.url(), OnStatus: []string{
		"409=delivered", "4xx=keep", "404=keep", "404=reject", "5xx=reject", "204=keep", "3xx=reject", "3xx=keep", "503=keep",
	}})
	for code := 100; code <= 599; code++ {
		status.Store(int64(code))
		want, seen := Kept, code
		switch {
		case code == 101:
		case code < 200:
			want, seen = Delivered, 201
		case code < 300:
			want = Delivered
		case code == 400, code == 413, code == 415, code == 422:
			want = Rejected
		}
		v := send(standard, "{}")
		if v.Action != want || v.Status != seen {
			t.Errorf("status %d is %v (%d), want %v (%d)", code, v.Action, v.Status, want, seen)
		}
		switch {
		case code == 409:
			want = Delivered
		case code == 404:
			want = Rejected
		case code == 204, code == 503, code >= 300 && code < 500:
			want = Kept
		case code >= 500:
			want = Rejected
		}
		v = send(changed, "{}")
		if v.Action != want || v.Status != seen {
			t.Errorf("with exceptions status %d is %v (%d), want %v (%d)", code, v.Action, v.Status, want, seen)
		}
		if (v.Err == nil) != (v.Action == Delivered) {
			t.Errorf("with exceptions status %d is %v and has the error %v", code, v.Action, v.Err)
		}
	}
}

func TestOnStatusSaysWhatIsWrong(t *testing.T) {
	for entry, want := range map[string]string{
		"404":               "CODE=ACTION",
		"404=drop":          "the action is not",
		"=keep":             "three digits",
		"40=keep":           "three digits",
		"4xxx=keep":         "three digits",
		"xx=keep":           "three digits",
		"+404=keep":         "three digits",
		"100=delivered":     "final",
		"1xx=delivered":     "final",
		"600=keep":          "final",
		"6xx=keep":          "final",
		"000=keep":          "final",
		"4\x1b[31mxx=keep":  `4\x1b[31mxx=keep`,
		"404=reject=please": "the action is not",
	} {
		if _, err := parseOnStatus([]string{entry}, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want an error with %q", entry, err, want)
		}
	}
	_, err := parseOnStatus([]string{"1=keep", "200=keep", "2=keep"}, false)
	if err == nil || strings.Count(err.Error(), "three digits") != 2 {
		t.Errorf("two bad entries give %v, want both named", err)
	}
	if table, err := parseOnStatus([]string{" 4XX = Keep ", "400=delivered"}, false); err != nil || table.of(413, false) != Kept || table.of(400, false) != Delivered {
		t.Errorf("spaces and capitals give %v, %v and %v", err, table.of(413, false), table.of(400, false))
	}
}

func FuzzOnStatus(f *testing.F) {
	for _, s := range []string{"404=reject", "4xx=keep", "409=delivered", "2xx=", "=", "xx=keep"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		table, err := parseOnStatus([]string{s}, false)
		if err == nil && !strings.Contains(s, "=") {
			t.Errorf("%q was taken", s)
		}
		if table.of(101, false) != Kept || table.of(-1, false) != Kept || table.of(600, false) != Kept || table.of(999, false) != Kept {
			t.Errorf("%q changed what has no final status", s)
		}
	})
}

// A listener that says when to come back says "not now", whatever else it says.
func TestAnyAnswerWithARetryAfterKeepsThePayload(t *testing.T) {
	t.Parallel()
	var status atomic.Int64
	l := listen(t, nil, func(c net.Conn, _ int) {
		br := bufio.NewReader(c)
		for readRequest(br) == nil {
			fmt.Fprintf(c, "HTTP/1.1 %d Something\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n", status.Load())
		}
	})
	for _, tr := range []*Transmitter{
		newTransmitter(t, Config{URL: l.url()}),
		newTransmitter(t, Config{URL: l.url(), OnStatus: []string{"3xx=reject", "5xx=reject"}}),
	} {
		for code := 200; code <= 599; code++ {
			status.Store(int64(code))
			action, after := Kept, 30*time.Second
			if code < 300 {
				action, after = Delivered, 0
			}
			if v := send(tr, "{}"); v.Action != action || v.RetryAfter != after {
				t.Errorf("a %d with Retry-After: 30 is %v for %v, want %v for %v", code, v.Action, v.RetryAfter, action, after)
			}
		}
	}
}

// A status that an exception calls delivered stays so.
func TestARetryAfterDoesNotKeepADeliveredPayload(t *testing.T) {
	t.Parallel()
	l := listen(t, nil, answering("HTTP/1.1 409 Conflict\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n"))
	v := send(newTransmitter(t, Config{URL: l.url(), OnStatus: []string{"409=delivered"}}), "{}")
	mustHold(t, v, Delivered, 409, "")
}

func TestEveryAnswerHasItsCause(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		answer   string
		compress string
		action   Action
		message  string
		cause    Cause
	}{
		{"HTTP/1.1 401 Unauthorized\r\n", "", Kept, ": answered 401 Unauthorized, and no token was sent", NoCredentials},
		{"HTTP/1.1 403 Forbidden\r\n", "", Kept, ": answered 403 Forbidden, and no token was sent", NoCredentials},
		{"HTTP/1.1 404 Not Found\r\n", "", Kept, ": answered 404 Not Found", NoEndpoint},
		{"HTTP/1.1 405 Method Not Allowed\r\n", "", Kept, ": answered 405 Method Not Allowed", NoEndpoint},
		{"HTTP/1.1 407 Proxy Authentication Required\r\n", "", Kept, ": answered 407 Proxy Authentication Required", ProxyCredentials},
		{"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n", "", Kept, ": answered 302 Found", Moved},
		{"HTTP/1.1 302 Found\r\n", "", Kept, ": answered 302 Found", Unknown},
		{"HTTP/1.1 415 Unsupported\r\n", "gzip", Kept, ": answered 415 Unsupported", CompressionRefused},
		{"HTTP/1.1 415 Unsupported\r\n", "", Rejected, ": answered 415 Unsupported", TypeRefused},
		{"HTTP/1.1 502 Bad Gateway\r\n", "", Kept, ": answered 502 Bad Gateway", GatewayFailed},
		{"HTTP/1.1 504 Gateway Timeout\r\n", "", Kept, ": answered 504 Gateway Timeout", GatewayFailed},
		{"HTTP/1.1 511 Network Authentication Required\r\n", "", Kept, ": answered 511 Network Authentication Required", NetworkLogin},
		{"HTTP/1.1 500\r\n", "", Kept, ": answered 500", Unknown},
	} {
		l := listen(t, nil, answering(c.answer+"Content-Length: 0\r\n\r\n"))
		v := send(newTransmitter(t, Config{URL: l.url(), Compress: c.compress}), "{}")
		if v.Action != c.action || !strings.HasSuffix(v.Err.Error(), c.message) {
			t.Errorf("%q is %v with %q, want %v with %q", c.answer, v.Action, v.Err, c.action, c.message)
		}
		mustHaveCause(t, v.Err, c.cause)
		if e := v.Err.(*Error); e.Status != v.Status || e.URL != l.url()+"/" {
			t.Errorf("the error of %q is %+v, want its status and URL", c.answer, e)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	s, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		} // elsewhere answers 200
	})
	v := send(newTransmitter(t, Config{URL: s.URL}), "{}")
	mustHold(t, v, Kept, 302, "answered 302 Found")
	mustHaveCause(t, v.Err, Moved)
	if e := v.Err.(*Error); e.Location != "/elsewhere" {
		t.Errorf("it points to %q, want /elsewhere", e.Location)
	}
	if n := requests.Load(); n != 1 {
		t.Errorf("the listener saw %d requests, want 1", n)
	}
}

func TestSendDoesNothingWithACancelledContext(t *testing.T) {
	dial := func(context.Context, string, string) (net.Conn, error) {
		t.Error("dialled")
		return nil, errRefusedInTest
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	tr := newTransmitter(t, Config{Dial: dial})
	mustHold(t, tr.Send(ctx, Request{}), Aborted, 0, "cancelled")
	mustHold(t, tr.Send(context.Background(), Request{Key: "a\nb"}), Aborted, 0, "idempotency key")
	mustHold(t, tr.Send(context.Background(), Request{ContentType: "a\r\nb: c"}), Aborted, 0, "content type")
}

// A listener may write anything. The verdict is one of the table and its error can be shown.
func FuzzVerdict(f *testing.F) {
	f.Add(503, "Unavailable", "", "3", "", "try later")
	f.Add(302, "Found", "http://u:p@x/\x1b[31m?q", "", "", "")
	f.Add(400, "", "", "", "", "The plain HTTP request was sent to HTTPS port")
	tr := newTransmitter(f, Config{})
	f.Fuzz(func(t *testing.T, status int, reason, location, retryAfter, date, excerpt string) {
		a := h1.Answer{Status: status, Reason: reason, Location: location, RetryAfter: retryAfter, Date: date}
		v := Verdict{Status: status, Action: tr.actions.of(status, false), Excerpt: []byte(excerpt)[:min(len(excerpt), maxExcerpt)]}
		if good := status >= 200 && status < 300; good != (v.Action == Delivered) {
			t.Fatalf("status %d is %v", status, v.Action)
		}
		tr.explain(&v, &a, false)
		mustBeShowable(t, v)
		if v.RetryAfter < 0 || v.RetryAfter > 0 && v.Action != Kept {
			t.Fatalf("status %d asks for %v and is %v", status, v.RetryAfter, v.Action)
		}
	})
}

func TestARefusalBlamesCredentialsOnlyIfSomeWereSent(t *testing.T) {
	t.Parallel()
	l := listen(t, nil, answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"))
	withUser := strings.Replace(l.url(), "://", "://user:password@", 1)
	for _, c := range []struct {
		name string
		cfg  Config
		want Cause
	}{
		{"nothing", Config{URL: l.url()}, NoCredentials},
		{"headers that say nothing of the sender", Config{URL: l.url(), Headers: []string{"Accept: */*", "User-Agent: x"}}, NoCredentials},
		{"a token", Config{URL: l.url(), TokenFile: writeFile(t, "token", "a-token")}, Unauthorized},
		{"a command's token", Config{URL: l.url(), TokenCommand: "echo a-token"}, Unauthorized},
		{"a user", Config{URL: withUser}, Unauthorized},
		{"a key in the query", Config{URL: l.url() + "/?key=k"}, Unauthorized},
		{"a key in a header", Config{URL: l.url(), Headers: []string{"X-API-Key: k"}}, Unauthorized},
		{"an Authorization header", Config{URL: l.url(), Headers: []string{"Authorization: Basic eA=="}}, Unauthorized},
	} {
		v := send(newTransmitter(t, c.cfg), "{}")
		if e := v.Err.(*Error); e.Cause != c.want || strings.Contains(e.Error(), "no token") != (c.want == NoCredentials) {
			t.Errorf("after %s the cause is %d with %q, want %d", c.name, e.Cause, e, c.want)
		}
	}
}
