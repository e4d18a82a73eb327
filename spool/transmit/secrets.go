package transmit

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
)

// secrets are the texts that must not come back out of an answer. Listeners and proxies echo
// requests in a redirect's Location, a debug page or an error document.
type secrets []form

// A form is a text by which a secret is known. Others are found by decoding.
type form struct {
	text   string
	base64 bool // a part of a longer text in base64
}

const redacted = "[redacted]"

// leastSecret is how many bytes a secret or its beginning has at least. A shorter one guards
// nothing, and cutting it out would shred ordinary text.
const leastSecret = 4

// add takes secrets.
func (s *secrets) add(values ...string) {
	for _, v := range values {
		if len(v) < leastSecret {
			continue
		}
		s.addForm(v, false)
		s.addForm(hex.EncodeToString([]byte(v)), false)
		s.addForm(strings.ToUpper(hex.EncodeToString([]byte(v))), false)
		for before := range 3 {
			s.addForm(base64Core(base64.RawStdEncoding, v, before), true)
			s.addForm(base64Core(base64.RawURLEncoding, v, before), true)
		}
	}
}

func (s *secrets) addForm(text string, isBase64 bool) {
	if f := (form{text, isBase64}); !slices.Contains(*s, f) {
		*s = append(*s, f)
	}
}

// base64Core returns the digits that stand for a secret in the encoding of any longer text, with so
// many bytes before it. The digits at its ends also depend on its neighbours and are left out.
func base64Core(encoding *base64.Encoding, secret string, before int) string {
	digits := encoding.EncodeToString([]byte(strings.Repeat("\x00", before) + secret))
	return digits[(before*8+5)/6 : (before+len(secret))*8/6]
}

// addHeader takes a header's value and its longer parts, since "Bearer x" may be echoed as x, and
// "a=x; b=y" as x and y.
func (s *secrets) addHeader(value string) {
	s.add(value)
	for part := range strings.FieldsFuncSeq(value, func(r rune) bool { return strings.ContainsRune(" ;,=", r) }) {
		if len(part) > len("Bearer") {
			s.add(part)
		}
	}
}

// addQuery takes a URL's query and its longer values, encoded and decoded.
func (s *secrets) addQuery(query string) {
	s.add(query)
	for pair := range strings.SplitSeq(query, "&") {
		_, value, _ := strings.Cut(pair, "=")
		if len(value) < 6 {
			continue
		}
		s.add(value)
		if plain, err := url.QueryUnescape(value); err == nil {
			s.add(plain)
		}
	}
}

func (s *secrets) addProxy(p *proxyServer) {
	if p.user != nil {
		password, _ := p.user.Password()
		s.add(password, strings.TrimPrefix(p.authorization, "Basic "))
	}
}
