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
	NDJSON Format = iota // one item a line, application/x-ndjson
	Array                // a JSON array of the items, application/json
)

// batchRequest makes one request of several items. A batch's idempotency key is
// derived from those of its items, so that the same items in the same order have
// the same key; a batch of one has its item's.
func (w *worker) batchRequest(parcels []parcel) transmit.Request {
	w.body = w.body[:0]
	for n, p := range parcels {
		switch w.cfg.BatchFormat {
		case Array:
			w.body = append(w.body, "[,"[min(n, 1)])
			w.body = append(w.body, p.item().Body...)
		default:
			w.body = appendLine(w.body, p.item().Body)
		}
	}
	request := transmit.Request{Key: parcels[0].item().Key, ContentType: "application/x-ndjson"}
	if w.cfg.BatchFormat == Array {
		w.body = append(w.body, ']')
		request.ContentType = "application/json"
	}
	request.Body = w.body
	if len(parcels) > 1 {
		request.Key = batchKey(parcels)
	}
	return request
}

func batchKey(parcels []parcel) string {
	h := sha256.New()
	for _, p := range parcels {
		h.Write([]byte(p.item().Key))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// appendLine appends an item as one line. Line breaks inside it, which JSON
// allows only between tokens (RFC 8259, section 2), become spaces; nothing else
// of it changes.
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
