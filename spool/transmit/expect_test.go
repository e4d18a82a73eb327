package transmit

import (
	"strings"
	"testing"
)

func TestOnlyAnAnswerWithTheExpectedHeaderDelivers(t *testing.T) {
	t.Parallel()
	const page = "Content-Type: text/html; charset=utf-8\r\n"
	for _, tt := range []struct {
		name, expect, answer string
		want                 Action
		webPage              bool
	}{
		{"nothing is expected", "", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n", Delivered, false},
		{"nothing is expected of a page", "", "HTTP/1.1 200 OK\r\n" + page, Delivered, true},
		{"a page by another spelling", "", "HTTP/1.1 200 OK\r\ncontent-type: TEXT/HTML\r\n", Delivered, true},
		{"nothing is expected of an answer without headers", "", "HTTP/1.1 200 OK\r\n", Delivered, false},
		{"the header is missing", "X-Mark: apm", "HTTP/1.1 200 OK\r\n" + page, Kept, false},
		{"the header is there", "x-mark:apm", "HTTP/1.1 202 OK\r\nX-MARK:  apm \r\n", Delivered, false},
		{"the header is there twice", "X-Mark: apm", "HTTP/1.1 200 OK\r\nX-Mark: a\r\nX-Mark: apm\r\nX-Mark: b\r\n", Delivered, false},
		{"a page with the header", "X-Mark: apm", "HTTP/1.1 200 OK\r\nX-Mark: apm\r\n" + page, Delivered, false},
		{"another value", "X-Mark: apm", "HTTP/1.1 200 OK\r\nX-Mark: APM\r\n", Kept, false},
		{"a longer value", "X-Mark: apm", "HTTP/1.1 200 OK\r\nX-Mark: apm; v=1\r\n", Kept, false},
		{"another name", "X-Mark: apm", "HTTP/1.1 200 OK\r\nX-Mork: apm\r\n", Kept, false},
		{"an interim answer has it", "X-Mark: apm", "HTTP/1.1 103 Early Hints\r\nX-Mark: apm\r\n\r\nHTTP/1.1 200 OK\r\n", Kept, false},
		{"a media type with parameters", "Content-Type: application/json", "HTTP/1.1 200 OK\r\nContent-Type: Application/JSON ; charset=utf-8\r\n", Delivered, false},
		{"a media type expected with parameters", "Content-Type: application/json; v=1", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n", Delivered, false},
		{"a media type that begins alike", "Content-Type: application/json", "HTTP/1.1 200 OK\r\nContent-Type: application/json-seq\r\n", Kept, false},
		{"a refusal without the header", "X-Mark: apm", "HTTP/1.1 400 Bad Request\r\n", Rejected, false},
	} {
		l := listen(t, nil, answering(tt.answer+"Content-Length: 2\r\n\r\nok"))
		v := send(newTransmitter(t, Config{URL: l.url(), ExpectHeader: tt.expect}), "{}")
		if v.Action != tt.want || v.WebPage != tt.webPage {
			t.Errorf("%s: the verdict is %v, web page %v, want %v, %v (%v)", tt.name, v.Action, v.WebPage, tt.want, tt.webPage, v.Err)
		}
		if tt.want == Kept {
			mustHaveCause(t, v.Err, Unexpected)
			name, _, _ := strings.Cut(strings.ToLower(tt.expect), ":")
			mustHold(t, v, Kept, 200, "answered 200 without the header that marks the listener's answers, "+name)
			if string(v.Excerpt) != "ok" {
				t.Errorf("%s: the answer's beginning is %q, want what a person can recognise the portal by", tt.name, v.Excerpt)
			}
		}
	}
}

// An answer that --on-status makes a delivery must come from the listener as well.
func TestADeliveryByExceptionNeedsTheExpectedHeaderToo(t *testing.T) {
	t.Parallel()
	l := listen(t, nil, answering("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"))
	v := send(newTransmitter(t, Config{URL: l.url(), ExpectHeader: "X-Mark: apm", OnStatus: []string{"401=delivered"}}), "{}")
	mustHold(t, v, Kept, 401, "answered 401 Unauthorized without the header")
}

func TestAPayloadThatIsAWebPageMayBeAnsweredByOne(t *testing.T) {
	t.Parallel()
	l := listen(t, nil, answering("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n"))
	if v := send(newTransmitter(t, Config{URL: l.url(), ContentType: "Text/HTML; charset=utf-8"}), "<p>"); v.WebPage {
		t.Error("the answer to a web page is suspected")
	}
	if v := send(newTransmitter(t, Config{URL: l.url(), Headers: []string{"Content-Type: text/html"}}), "<p>"); v.WebPage {
		t.Error("the answer to a web page by a header is suspected")
	}
}

func TestAnExpectedHeaderThatNoAnswerCanHaveIsRefused(t *testing.T) {
	for _, line := range []string{"nonsense", "X Mark: a", ": a", "X-Mark:", "X-Mark: a\x01b"} {
		if err := CheckExpectHeader(line); err == nil {
			t.Errorf("%q was taken", line)
		}
		if _, err := New(Config{ExpectHeader: line}); err == nil {
			t.Errorf("New took %q", line)
		}
	}
	if err := CheckExpectHeader("Connection: close"); err != nil {
		t.Errorf("an answer's own header is refused: %v", err)
	}
}
