package doctor

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// TestHeader marks the requests that contract makes.
const TestHeader = "Spoolfwd-Test: 1"

// testName stands for {host} and {name} in the URL and headers of these requests.
const testName = "spoolfwd-test"

// contract tries the listener with marked test items: one that is sent twice under one key, and one
// that is not JSON. The breaker is neither asked nor told.
func (d *doctor) contract(ctx context.Context, t *transmit.Transmitter) {
	const about = "contract"
	key := newKey()
	item := transmit.Request{Key: key, Host: testName, Name: testName, Body: d.TestItem}
	if len(item.Body) == 0 {
		item.Body = fmt.Appendf(nil, `{"spoolfwd_test_item":"%s","sent_at":"%s"}`, key, d.Now().UTC().Format(time.RFC3339))
	}
	d.ok(about, "sending a test item, with the header %q, twice under the key %q; the listener should hold it once: look there", TestHeader, key)

	v := t.Send(ctx, item)
	switch {
	case v.Action == transmit.Rejected && len(d.TestItem) == 0:
		d.broken(about, "the listener takes only items of its own kind: give it one with --test-item", v.Err)
		return
	case v.Action != transmit.Delivered:
		d.broken(about, "", v.Err)
		return
	case v.WebPage:
		d.warn(about, "check --url", "the answer is a web page: a captive portal or another site may have answered")
	}
	d.ok(about, "a test item is taken")

	again := t.Try(ctx, item)
	if again.Action != transmit.Delivered {
		d.broken(about, "answer 2xx to an item whose key is known; --on-status 409=delivered is for a listener that answers 409",
			fmt.Errorf("the same item under the same key is not taken: %w", again.Err))
		return
	}
	d.ok(about, "the same item under the same key is taken")
	d.manners(about, again)

	if d.Raw {
		return // items need not be JSON
	}
	garbage := transmit.Request{Key: newKey(), Host: testName, Name: testName, Body: []byte(`{"spoolfwd_test_item":"not JSON`)}
	switch v := t.Send(ctx, garbage); {
	case v.Action == transmit.Rejected || v.Status == 400 || v.Status == 422:
		d.ok(about, "an item that is not JSON is refused with %d", v.Status)
	case v.Action == transmit.Delivered:
		d.warn(about, "answer 400 to a wrong item, before it is stored", "an item that is not JSON is taken")
	default:
		d.broken(about, "answer 400 to a wrong item: any other answer counts against the listener, and keeps the item for many runs",
			fmt.Errorf("an item that is not JSON is not refused as one: %w", v.Err))
	}
}

// manners judges how the listener uses a connection.
func (d *doctor) manners(about string, seen transmit.Trial) {
	if seen.Early {
		d.broken(about, "answer when the whole request has been read and the item is stored",
			errors.New("it answers before it has the whole item: such an item can be lost"))
	} else {
		d.ok(about, "the answer comes when the whole item has been sent")
	}
	switch {
	case seen.Twice:
		d.broken(about, "answer once; until then, --keep-alive=false protects the next item",
			errors.New("it sends more than one answer: the second would be taken for that to the next item"))
	case d.Listener.DisableKeepAlives:
	case seen.Closes:
		d.warn(about, "keep connections open: without that each item needs one of its own", "the connection cannot be used again after an answer")
	default:
		d.ok(about, "the connection can be used again")
	}
}

// broken is fail for a contract that the listener does not keep.
func (d *doctor) broken(about, mend string, err error) {
	d.fail(about, mend, exit.With(exit.Left, err))
}

// newKey returns a key like those of items, which no item has.
func newKey() string {
	var random [16]byte
	rand.Read(random[:])
	return hex.EncodeToString(random[:])
}
