package jetstream

import (
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// A stream that refuses a second message on a subject knows an item by the key in it, without any
// window. What it refuses for may still be lost, so only what it shows is there.
func TestAnItemWhoseOwnSubjectIsFullIsDeliveredIfTheStreamShowsIt(t *testing.T) {
	const full = `{"error":{"code":503,"err_code":10077,"description":"maximum messages per subject exceeded"},"stream":"ITEMS","seq":0}`
	const own = "S.k-%221%22"
	for _, test := range []struct {
		name   string
		asked  func(c *client, m message)
		action transmit.Action
		status int
		cause  transmit.Cause
	}{
		{"it shows it", func(c *client, m message) { c.answer(m, `{"message":{"subject":"`+own+`","seq":3}}`) }, transmit.Delivered, 200, 0},
		{"it has none", func(c *client, m message) {
			c.answer(m, `{"error":{"code":404,"err_code":10037,"description":"no message found"}}`)
		}, transmit.Kept, 503, transmit.NATSNotShown},
		{"it has another", func(c *client, m message) { c.answer(m, `{"message":{"subject":"S","seq":3}}`) }, transmit.Kept, 503, transmit.NATSNotShown},
		{"it must not be asked", func(c *client, m message) { c.say("-ERR 'Permissions Violation for Publish to %q'\r\n", m.Subject) },
			transmit.Kept, 503, transmit.NATSNotShown},
		{"it says nothing", func(*client, message) {}, transmit.Kept, 503, transmit.NATSNotShown},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := startServer(t, &fakeServer{message: func(c *client, m message) {
				switch m.Subject {
				case own:
					c.answer(m, full)
				case "$JS.API.STREAM.MSG.GET.ITEMS":
					if m.Body != `{"last_by_subj":"`+own+`"}` {
						t.Errorf("it asks for %s", m.Body)
					}
					test.asked(c, m)
				}
			}})
			v := newTransmitter(t, Config{URL: s.url("S.{key}"), Timeout: 1500 * time.Millisecond}).Send(t.Context(), item())
			wantVerdict(t, v, test.action, test.status, test.cause)
		})
	}
}
