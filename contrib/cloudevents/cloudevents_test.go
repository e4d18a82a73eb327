// Package cloudevents_test reads with the CloudEvents SDK what a run sends with --batch-format
// cloudevents.
package cloudevents_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"

	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// always is a breaker that lets everything pass.
type always struct{}

func (always) Available(time.Time) bool                     { return true }
func (always) Failures() int                                { return 0 }
func (always) FailureThreshold() int                        { return 5 }
func (always) RecordSuccess(time.Time) error                { return nil }
func (always) RecordFailure(time.Time, time.Duration) error { return nil }

func TestTheSDKReadsWhatARunSends(t *testing.T) {
	changed := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
	items := []string{`{"a": "\u00e9<\n>"}`, `[1,2]`, `"text"`, `1.50`, `null`, `true`}
	for _, tt := range []struct {
		name      string
		batch     int
		mediaType string
	}{
		{"in batches", 100, "application/cloudevents-batch+json"},
		{"one by one", 1, "application/cloudevents+json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// The same items once more, as after a crash: the events must be the same, however they
			// are cut into batches.
			first, second := map[string]event.Event{}, map[string]event.Event{}
			for seen, batch := range map[*map[string]event.Event]int{&first: tt.batch, &second: min(tt.batch, 2)} {
				dir := filepath.Join(t.TempDir(), "a spool")
				write(t, dir, "[\n"+strings.Join(items, " ,\n")+"]", changed)
				collect(t, dir, batch, tt.mediaType, *seen)
			}
			if len(first) != len(items) || len(second) != len(items) {
				t.Fatalf("%d and %d events arrived, want %d", len(first), len(second), len(items))
			}
			bodies := map[string]bool{}
			for id, e := range first {
				again := second[id]
				if string(e.Data()) != string(again.Data()) || e.Type() != "com.example.profile" || e.SpecVersion() != "1.0" ||
					!e.Time().Equal(changed) || e.DataContentType() != "application/json" ||
					!strings.HasPrefix(e.Source(), "spoolfwd:///web%201%2F%C3%A9/") || !strings.HasSuffix(e.Source(), "/a%20spool") {
					t.Errorf("an event is %v", e)
				}
				bodies[string(e.Data())] = true
			}
			for _, item := range items {
				if !bodies[item] {
					t.Errorf("%s is not the data of an event", item)
				}
			}
		})
	}
}

func write(t *testing.T, dir, text string, changed time.Time) {
	t.Helper()
	path := filepath.Join(dir, "p.json")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, changed, changed); err != nil {
		t.Fatal(err)
	}
}

// collect runs once and notes the events by id.
func collect(t *testing.T, dir string, batch int, mediaType string, seen map[string]event.Event) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Content-Type"); got != mediaType {
			t.Errorf("the content type is %q, want %q", got, mediaType)
		}
		var events []event.Event
		var err error
		if batch > 1 {
			events, err = cehttp.NewEventsFromHTTPRequest(r)
		} else {
			var e *event.Event
			if e, err = binding.ToEvent(r.Context(), cehttp.NewMessageFromHttpRequest(r)); err == nil {
				events = append(events, *e)
			}
		}
		if err != nil {
			t.Error(err)
		}
		for _, e := range events {
			if err := e.Validate(); err != nil {
				t.Errorf("an event is not valid: %v", err)
			}
			seen[e.ID()] = e
		}
	}))
	defer server.Close()
	sp, err := spool.Open(spool.Config{Dir: dir, HostID: "web 1/é"})
	if err != nil {
		t.Fatal(err)
	}
	defer sp.Close()
	tr, err := transmit.New(transmit.Config{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	report, err := drain.Run(context.Background(), drain.Config{Spool: sp, Breaker: always{}, Transmitter: tr, Concurrency: 1,
		BatchItems: batch, BatchFormat: drain.CloudEvents, EventType: "com.example.profile"})
	if err != nil || report.Stop != drain.Drained {
		t.Fatalf("%v, stopped by %v", err, report.Stop)
	}
}
