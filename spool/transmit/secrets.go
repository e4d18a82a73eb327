package transmit

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
)

// secrets are the texts that must not come back out of an answer. Listeners and proxies echo
// requests in a redirect's Location, a debug page or an error document.
type secrets []string

const redacted = "[redacted]"

// add takes values of at least four bytes. A shorter one guards nothing, and cutting it out would
// shred ordinary text.
func (s *secrets) add(values ...string) {
	for _, v := range values {
		if len(v) < 4 {
			continue
		}
		*s = append(*s, v)
		if escaped := strings.ReplaceAll(v, "/", `\/`); escaped != v { // as PHP writes JSON
			*s = append(*s, escaped)
		}
	}
	// Longest first, so that no part of a secret is replaced before the whole of it.
	slices.SortFunc(*s, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	*s = slices.Compact(*s)
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

// cut replaces every secret in text. A truncated text may end in the middle of a secret, so an end
// that could be the beginning of one goes as well.
func (s secrets) cut(text string, truncated bool) string {
	for _, secret := range s {
		text = strings.ReplaceAll(text, secret, redacted)
	}
	if !truncated {
		return text
	}
	for _, secret := range s {
		for n := min(len(secret)-1, len(text)); n >= 4; n-- {
			if strings.HasSuffix(text, secret[:n]) {
				return text[:len(text)-n] + redacted
			}
		}
	}
	return text
}
