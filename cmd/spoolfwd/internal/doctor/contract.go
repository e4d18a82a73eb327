package doctor

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// TestHeader marks the requests that contract makes.
const TestHeader = "Spoolfwd-Test: 1"

// testName stands for {host} and {name} in the URL and headers of these requests.
const testName = "spoolfwd-test"

// contract tries the listener with marked test items, in the format of a run: one that is sent
// twice under one key, one that is not JSON, and with batches two in one request. The breaker is
// neither asked nor told.
func (d *doctor) contract(ctx context.Context, t *transmit.Transmitter) {
	const about = "contract"
	item := d.request(d.newItem())
	d.ok(about, "sending a test item, with the header %q, twice under the key %q; the listener should hold it once: look there", TestHeader, item.Key)

	v := t.Send(ctx, item)
	switch {
	case v.Action == transmit.Rejected && len(d.TestItem) == 0:
		mend := "the listener takes only items of its own kind: give it one with --test-item"
		if item.ContentType != "" {
			mend = "the listener does not take --batch-format, or only items of its own kind: give it one with --test-item"
		}
		d.broken(about, mend, v.Err)
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
	d.refuses(about, "an item that is not JSON", t.Send(ctx, d.request(wrongItem())))
	if d.Drain.BatchItems > 1 {
		d.batch(ctx, t, about)
	}
}

// batch tries requests of several items.
func (d *doctor) batch(ctx context.Context, t *transmit.Transmitter, about string) {
	if v := t.Send(ctx, d.request(d.newItem(), d.newItem())); v.Action != transmit.Delivered {
		d.broken(about, "see --batch-format; without --batch-items, each item has a request of its own",
			fmt.Errorf("two items in one request are not taken: %w", v.Err))
		return
	}
	d.ok(about, "two items in one request are taken")
	d.refuses(about, "a request of two items, one of them not JSON,", t.Send(ctx, d.request(d.newItem(), wrongItem())))
}

// refuses judges the answer to what is wrong.
func (d *doctor) refuses(about, what string, v transmit.Verdict) {
	switch {
	case v.Action == transmit.Rejected || v.Partly || v.Status == 400 || v.Status == 422:
		d.ok(about, "%s is refused with %d", what, v.Status)
	case v.Action == transmit.Delivered:
		d.warn(about, "answer 400 to a wrong item, before it is stored", "%s is taken", what)
	default:
		d.broken(about, "answer 400 to a wrong item: any other answer counts against the listener, and keeps the item for many runs",
			fmt.Errorf("%s is not refused as one: %w", what, v.Err))
	}
}

// request makes the request of a run of these items.
func (d *doctor) request(items ...spool.Item) transmit.Request {
	return drain.TrialRequest(d.Drain, testName, items...)
}

// newItem returns a test item.
func (d *doctor) newItem() spool.Item {
	item := spool.Item{Key: newKey(), Body: d.TestItem}
	if len(item.Body) == 0 {
		item.Body = fmt.Appendf(nil, `{"spoolfwd_test_item":"%s","sent_at":"%s"}`, item.Key, d.Now().UTC().Format(time.RFC3339))
	}
	return item
}

func wrongItem() spool.Item {
	return spool.Item{Key: newKey(), Body: []byte(`{"spoolfwd_test_item":"not JSON`)}
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
