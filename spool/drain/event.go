package drain

import (
	"encoding/json"
	"errors"
	"net/url"
	"path/filepath"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// envelope is the part of a CloudEvent (version 1.0, JSON format) that is the same for all items of
// a spool, up to the id. Each item is an event of its own: its key is the id, by which a receiver
// knows it again in whatever batch it comes.
type envelope []byte

// newEnvelope names the spool as the source of events: the host's identity, then the directory.
func newEnvelope(hostID, dir, eventType string) envelope {
	source := "spoolfwd:///" + url.PathEscape(hostID) + (&url.URL{Path: filepath.ToSlash(dir)}).EscapedPath()
	head, _ := json.Marshal(struct { // of strings, which cannot fail
		Version     string `json:"specversion"`
		Type        string `json:"type"`
		Source      string `json:"source"`
		ContentType string `json:"datacontenttype"`
	}{"1.0", eventType, source, "application/json"})
	return append(head[:len(head)-1], `,"id":"`...)
}

// append appends an item as an event. Its time is that of its payload file, since it must not
// change from attempt to attempt.
func (e envelope) append(b []byte, d delivery) []byte {
	b = append(append(b, e...), d.item().Key...) // hexadecimal digits
	b = append(b, `","time":"`...)
	b = time.Unix(0, d.payload().ModTime).UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","data":`...)
	return append(append(b, d.item().Body...), '}')
}

// eventRequest makes a request of one item in the structured mode of CloudEvents over HTTP.
func (w *worker) eventRequest(d delivery) transmit.Request {
	w.batch = w.r.envelope.append(w.batch[:0], d)
	return transmit.Request{Body: w.batch, Key: d.item().Key, Name: d.payload().Name, ContentType: "application/cloudevents+json"}
}

// CheckBatchFormat judges Config.BatchFormat. raw is that of the spool.
func CheckBatchFormat(f Format, raw bool) error {
	if raw && f == CloudEvents {
		return errors.New("only JSON can be the data of an event")
	}
	return nil
}

// CheckEventType judges Config.EventType.
func CheckEventType(text string) error {
	if text == "" {
		return errors.New("must not be empty")
	}
	return nil
}
