package transmit

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// A person reads the answer, and secrets are found in its text only.
func TestACompressedAnswerIsReadAndItsSecretsAreCut(t *testing.T) {
	t.Parallel()
	compressed := func(text string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		fmt.Fprint(w, text)
		w.Close()
		return b.String()
	}
	whole := compressed("profile of headerS3cret has no start_time")
	for name, c := range map[string]struct{ body, want string }{
		"whole":            {whole, "profile of [redacted] has no start_time"},
		"cut in its end":   {whole[:len(whole)-4], "profile of [redacted] has no start_time"},
		"not gzip after a": {"\x1f\x8b and then text", "\x1f\x8b and then text"},
		"a bomb":           {compressed(strings.Repeat("a", 10<<20))[:1500], strings.Repeat("a", maxExcerpt)},
	} {
		l := listen(t, nil, answering(fmt.Sprintf("HTTP/1.1 400 Bad Request\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(c.body), c.body)))
		v := send(newTransmitter(t, Config{URL: l.url(), Headers: []string{"X-Key: headerS3cret"}}), "{}")
		if string(v.Excerpt) != c.want {
			t.Errorf("%s: the excerpt is %.100q, want %.100q", name, v.Excerpt, c.want)
		}
	}
}
