package transmit

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit/h1"
)

const maxExcerpt = 2 << 10

// Verdict is what came of a request.
type Verdict struct {
	Action     Action
	Status     int           // 0: no answer
	Latency    time.Duration // of an answer, without the time that making a connection took
	Partly     bool          // of a batch: the answer says that some items were taken and others were not
	WebPage    bool          // delivered, by an answer that says it is a web page, for a body that is none
	Sent       bool          // without an answer: some of the request may have reached the listener
	RetryAfter time.Duration // more than 0 only for an answer that asks for it, which is Kept
	Excerpt    []byte        // the beginning of the answer's body, at most 2 KiB, without its compression and secrets; nil when delivered
	Err        error         // nil when delivered; otherwise an *Error
}

// judge turns an answer into a verdict, and reads as much of its body as that needs.
func (t *Transmitter) judge(c *h1.Conn, a *h1.Answer, r Request) Verdict {
	v := Verdict{Status: a.Status, Action: t.actions.of(a.Status, r.Batch)}
	if v.Action == Delivered && (a.Partial || t.isStranger(a)) {
		v.Action = Kept // it was not sent whole, or not to the listener
	}
	switch {
	case v.Action != Delivered:
		v.Excerpt = c.Finish(a, make([]byte, 0, maxExcerpt))
		v.Partly = v.Action == Kept && r.Batch && a.Status == multiStatus
	case r.Batch:
		body := inflated(c.Finish(a, make([]byte, 0, maxBulkAnswer)), maxBulkAnswer)
		if v.Partly = saysErrors(body); v.Partly {
			v.Action, v.Excerpt = Kept, body[:min(len(body), maxExcerpt)]
		}
	default:
		c.Finish(a, nil)
	}
	if v.Action == Delivered {
		v.WebPage = a.HTML && !a.Expected && !isHTML(cmp.Or(r.ContentType, t.contentType))
		return v
	}
	t.explain(&v, a, r.Batch)
	return v
}

// explain fills in what an answer that delivered nothing says.
func (t *Transmitter) explain(v *Verdict, a *h1.Answer, batch bool) {
	v.Excerpt = t.cutExcerpt(inflated(v.Excerpt, maxExcerpt))
	if v.RetryAfter = retryAfter(a.RetryAfter, a.Date, t.now()); v.RetryAfter > 0 {
		v.Action = Kept // "not now" speaks of the time, and not of the payload (RFC 9110 section 10.2.3)
	}
	sentence := strings.TrimSpace(fmt.Sprintf("answered %d %s", a.Status, t.shown(a.Reason, 80)))
	if t.proxy.forwards(t.target) {
		sentence += " by way of the proxy " + t.proxy.display
	}
	cause := t.causeOfAnswer(v, a, batch)
	switch {
	case a.Partial:
		sentence += " before it had read the whole request"
	case cause == NoCredentials:
		sentence += ", and no token was sent"
	case cause == PartlyTaken:
		sentence += ": the listener did not take every item of the batch"
	case cause == Unexpected:
		sentence += " without the header that marks the listener's answers, " + t.client.Expect.Name
	}
	if cause == WantsTLS && v.Action == Rejected {
		v.Action = Kept // it is the URL that is wrong, and no payload's fault
	}
	err := t.newError(cause, nil, sentence)
	err.Status = a.Status
	if cause == Moved {
		location := invalidURL
		if u, err := url.Parse(a.Location); err == nil {
			location = shownURL(*u)
		}
		err.Location = t.shown(location, 200)
	}
	v.Err = err
}

// cutExcerpt removes secrets; nil is an answer without a body.
func (t *Transmitter) cutExcerpt(excerpt []byte) []byte {
	if len(excerpt) == 0 {
		return nil
	}
	shown := t.secrets.cut(string(excerpt), true)
	return []byte(shown[:min(len(shown), maxExcerpt)])
}

// causeOfAnswer names the cause behind an answer that delivered nothing.
func (t *Transmitter) causeOfAnswer(v *Verdict, a *h1.Answer, batch bool) Cause {
	switch {
	case v.Partly:
		return PartlyTaken
	case t.actions.of(a.Status, batch) == Delivered && t.isStranger(a):
		return Unexpected
	case a.Status == 403 && t.proxy.forwards(t.target):
		return Forbidden
	case t.anonymous && (a.Status == unauthorized || a.Status == 403):
		return NoCredentials
	case a.Status == unauthorized || a.Status == 403:
		return Unauthorized
	case a.Status == 404 || a.Status == 405:
		return NoEndpoint
	case a.Status == 407:
		return ProxyCredentials
	case a.Status == 415 && t.compressor != nil:
		return CompressionRefused
	case a.Status == 415:
		return TypeRefused
	case a.Status == 502 || a.Status == 504:
		return GatewayFailed
	case a.Status == 511:
		return NetworkLogin
	case a.Status == 400 && !t.target.secure && saysItWantsTLS(string(v.Excerpt)):
		return WantsTLS
	case a.Status >= 300 && a.Status < 400 && a.Location != "":
		return Moved
	}
	return Unknown
}

// isStranger reports whether an answer lacks the header that marks the listener's.
func (t *Transmitter) isStranger(a *h1.Answer) bool {
	return t.client.Expect.Name != "" && !a.Expected
}

func isHTML(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(media), "text/html")
}

// saysItWantsTLS knows what Go, and what nginx and Apache answer to plain HTTP.
func saysItWantsTLS(excerpt string) bool {
	return strings.Contains(excerpt, "HTTP request to an HTTPS server") || strings.Contains(excerpt, "plain HTTP")
}
