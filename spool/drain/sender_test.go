package drain_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// newSender returns a sender to a listener that answers each request with the next status, and the
// last one for ever. requests counts them.
func newSender(t *testing.T, now func() time.Time, statuses ...int) (sender drain.Sender[breaker.Stats], requests *int) {
	t.Helper()
	requests = new(int)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(statuses[min(*requests, len(statuses)-1)])
		*requests++
	}))
	t.Cleanup(server.Close)
	b, err := breaker.New(breaker.Config{StateDir: t.TempDir(), FailureThreshold: 2})
	if err != nil {
		t.Fatal(err)
	}
	tr, err := transmit.New(transmit.Config{URL: "http://user:secret@" + server.Listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	return drain.Sender[breaker.Stats]{Breaker: b, Transmitter: tr, Now: now}, requests
}

func TestASenderStopsWhenTheBreakerOpensAndProbesAfterTheRetryTimeout(t *testing.T) {
	now := time.Unix(1_763_848_123, 0)
	sender, requests := newSender(t, func() time.Time { return now }, 200, 500, 500, 200)
	items := make([]transmit.Request, 5)
	got := sender.SendBatch(context.Background(), items)
	equal(t, "delivered", got.Delivered, 1)
	equal(t, "failed", got.Failed, 2)
	equal(t, "verdicts", len(got.Verdicts), 3)
	equal(t, "requests", *requests, 3)
	if !errors.Is(got.Err, drain.ErrOpen) {
		t.Errorf("the error is %v, want that the breaker is open", got.Err)
	}

	equal(t, "open", sender.CircuitOpen(), true)
	v := sender.Send(context.Background(), transmit.Request{})
	if v.Action != transmit.Aborted || !errors.Is(v.Err, drain.ErrOpen) {
		t.Errorf("while the breaker is open the verdict is %v, %v", v.Action, v.Err)
	}
	equal(t, "requests while it is open", *requests, 3)

	now = now.Add(61 * time.Second)
	equal(t, "open after the retry timeout", sender.CircuitOpen(), false)
	equal(t, "the state after it was asked", sender.Stats().Breaker.State, breaker.Open) // asking changes nothing
	equal(t, "the probe", sender.Send(context.Background(), transmit.Request{}).Action, transmit.Delivered)
	equal(t, "the state after the probe", sender.Stats().Breaker.State, breaker.Closed)
}

func TestASenderTellsTheBreakerNothingOfAFaultOfThisMachine(t *testing.T) {
	sender, requests := newSender(t, nil, 200)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	got := sender.SendBatch(ctx, make([]transmit.Request, 3))
	equal(t, "verdicts", len(got.Verdicts), 0)
	equal(t, "requests", *requests, 0)
	equal(t, "failures", sender.Stats().Breaker.FailureCount, 0)
	if !errors.Is(got.Err, context.Canceled) {
		t.Errorf("the error is %v, want the end of the context", got.Err)
	}
}

func TestTheStatsOfASenderHoldNoSecret(t *testing.T) {
	sender, _ := newSender(t, nil, 200)
	s := sender.Stats()
	if strings.Contains(s.URL, "secret") || !strings.HasPrefix(s.URL, "http://127.0.0.1:") {
		t.Errorf("the URL is %q, want the listener's without user info", s.URL)
	}
	equal(t, "timeout", s.Timeout, 5*time.Second)
	equal(t, "name of the breaker", s.Breaker.Name, "central_listener")
}
