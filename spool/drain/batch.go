package drain

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// Format is how one request holds several items.
type Format int

// Formats of batches.
const (
	NDJSON      Format = iota // one item a line, application/x-ndjson
	Array                     // a JSON array of the items, application/json
	CloudEvents               // a JSON array of events, one per item; without batches, one event
)

// batchRequest makes one request of several items. A batch's idempotency key is derived from those
// of its items, so that the same items in the same order have the same key; a batch of one has its
// item's.
func (w *worker) batchRequest(items []delivery) transmit.Request {
	body := w.batch[:0]
	for n, d := range items {
		switch w.r.cfg.BatchFormat {
		case Array:
			body = append(body, "[,"[min(n, 1)])
			body = append(body, d.item().Body...)
		case CloudEvents:
			body = append(body, "[,"[min(n, 1)])
			body = w.r.envelope.append(body, d)
		default:
			body = appendLine(body, d.item().Body)
		}
	}
	request := transmit.Request{Key: items[0].item().Key, ContentType: "application/x-ndjson", Batch: true}
	switch w.r.cfg.BatchFormat {
	case Array:
		body = append(body, ']')
		request.ContentType = "application/json"
	case CloudEvents:
		body = append(body, ']')
		request.ContentType = "application/cloudevents-batch+json"
	}
	w.batch, request.Body = body, body
	if len(items) > 1 {
		request.Key = batchKey(items)
	}
	return request
}

func batchKey(items []delivery) string {
	h := sha256.New()
	for _, d := range items {
		h.Write([]byte(d.item().Key))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// appendLine appends an item as one line. Line breaks inside it, which JSON allows only between
// tokens (RFC 8259, section 2), become spaces; nothing else of it changes.
func appendLine(to, item []byte) []byte {
	start := len(to)
	to = append(to, item...)
	for _, lineBreak := range []byte{'\n', '\r'} {
		for line := to[start:]; ; {
			at := bytes.IndexByte(line, lineBreak)
			if at < 0 {
				break
			}
			line[at] = ' '
			line = line[at+1:]
		}
	}
	return append(to, '\n')
}
