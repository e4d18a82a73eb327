package transmit

import (
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// secrets are the texts that must not come back out of an answer. Listeners and proxies echo
// requests in a redirect's Location, a debug page or an error document.
type secrets struct {
	mu    sync.Mutex // guards texts
	texts []string   // grows only, so that it can be read after the lock was given back
}

func (s *secrets) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.texts
}

const redacted = "[redacted]"

// leastSecret is how many bytes a secret or its beginning has at least. A shorter one guards
// nothing, and cutting it out would shred ordinary text.
const leastSecret = 4

// add takes secrets.
func (s *secrets) add(values ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range values {
		if len(v) < leastSecret {
			continue
		}
		inHex := hex.EncodeToString([]byte(v))
		for _, form := range []string{v, inHex, strings.ToUpper(inHex)} { // others are found by decoding
			if !slices.Contains(s.texts, form) {
				s.texts = append(s.texts, form)
			}
		}
	}
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

// addTemplate takes a header's value, in which the names that stand in braces are not secret.
func (s *secrets) addTemplate(value template) {
	for _, p := range value {
		s.addHeader(p.text)
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
