package transmit

import (
	"cmp"
	"slices"
	"strings"
)

const (
	// maxEscapings is how many escapings around each other come off: JSON in HTML in a URL is
	// three. A text that has more is not shown at all.
	maxEscapings = 8
	// maxBase64 is how many times base64 comes off. Each time takes four attempts, one for each
	// digit that the secret's first group may begin with.
	maxBase64 = 2
)

// cut replaces every secret in text. A truncated text may end in the middle of a secret, so an end
// that could be the beginning of one goes as well.
//
// Decoding comes to an end, because each step makes the text shorter. The secrets are looked for
// before and after each step, so no combination of encodings need be known.
func (s *secrets) cut(text string, truncated bool) string {
	all := s.all()
	if len(all) == 0 {
		return text
	}
	l := layer{text: []byte(text), parts: make([]span, len(text))}
	for i := range l.parts {
		l.parts[i] = span{i, i + 1}
	}
	search := search{secrets: all, truncated: truncated, end: len(text)}
	search.under(l, maxBase64)
	return replaceSpans(text, search.found)
}

// A span is a part of the original text.
type span struct{ from, to int }

// replaceSpans replaces what the spans cover, one time for those that overlap.
func replaceSpans(text string, spans []span) string {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var b strings.Builder
	end := 0 // of what has been written or replaced
	for _, s := range spans {
		if s.from >= end {
			b.WriteString(text[end:s.from] + redacted)
		}
		end = max(end, s.to)
	}
	b.WriteString(text[end:])
	return b.String()
}

// A search collects the parts of a text that hold secrets.
type search struct {
	secrets   []string
	truncated bool
	end       int // of the original text
	found     []span
}

// under searches a layer and everything that is encoded in it.
func (s *search) under(l layer, base64 int) {
	for n := 0; ; n++ {
		s.in(l)
		plain := l.unescaped(s.truncated)
		if len(plain.text) == len(l.text) {
			break
		}
		if n == maxEscapings {
			s.found = append(s.found, span{0, s.end})
			return
		}
		l = plain
	}
	for skip := 0; base64 > 0 && skip < 4; skip++ {
		s.under(l.unbase64(skip), base64-1)
	}
}

// in searches one layer.
func (s *search) in(l layer) {
	text := string(l.text)
	for _, secret := range s.secrets {
		for at := 0; ; {
			i := strings.Index(text[at:], secret)
			if i < 0 {
				break
			}
			from := at + i
			at = from + len(secret)
			s.found = append(s.found, span{l.parts[from].from, l.parts[at-1].to})
		}
		if !s.truncated {
			continue
		}
		for n := min(len(secret)-1, len(text)); n >= leastSecret; n-- {
			if from := len(text) - n; text[from:] == secret[:n] {
				s.found = append(s.found, span{l.parts[from].from, s.end})
				break
			}
		}
	}
}
