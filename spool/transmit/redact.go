package transmit

import (
	"bytes"
	"cmp"
	"html"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// maxLayers is how many encodings around each other are taken off: JSON in HTML in a URL.
const maxLayers = 4

// cut replaces every secret in text, as it stands or encoded for HTML, for a URL or for JSON, in
// hexadecimal or in base64. A truncated text may end in the middle of a secret, so an end that
// could be the beginning of one goes as well.
func (s secrets) cut(text string, truncated bool) string {
	if len(s) == 0 {
		return text
	}
	var found []span
	l := plainLayer(text)
	for range maxLayers {
		found = s.find(found, l, truncated)
		under := l.decoded(truncated)
		if len(under.text) == len(l.text) {
			break
		}
		l = under
	}
	return replaceSpans(text, found)
}

// A span is a part of a text: what to replace.
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

// find adds the parts of the original text that hold a secret.
func (s secrets) find(found []span, l layer, truncated bool) []span {
	for _, f := range s {
		for at := 0; ; {
			i := bytes.Index(l.text[at:], []byte(f.text))
			if i < 0 {
				break
			}
			from, to := at+i, at+i+len(f.text)
			at = to
			if f.base64 { // its neighbours tell of the secret's ends
				for from > 0 && isBase64(l.text[from-1]) {
					from--
				}
				for to < len(l.text) && isBase64(l.text[to]) {
					to++
				}
			}
			found = append(found, span{l.at[from], l.at[to]})
		}
		if !truncated {
			continue
		}
		for n := min(len(f.text)-1, len(l.text)); n >= leastSecret; n-- {
			if from := len(l.text) - n; string(l.text[from:]) == f.text[:n] {
				for f.base64 && from > 0 && isBase64(l.text[from-1]) {
					from--
				}
				found = append(found, span{l.at[from], l.end()})
				break
			}
		}
	}
	return found
}

func isBase64(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("+/-_", c) >= 0
}

// A layer is a text with some encodings taken off. at says where in the original each of its bytes
// began; one more says where the original ends.
type layer struct {
	text []byte
	at   []int
}

func plainLayer(text string) layer {
	l := layer{text: []byte(text), at: make([]int, len(text)+1)}
	for i := range l.at {
		l.at[i] = i
	}
	return l
}

func (l layer) end() int { return l.at[len(l.text)] }

// decoded takes one encoding off, whichever each part of the text has. A truncated text may end in
// the middle of an escape, which is left out.
func (l layer) decoded(truncated bool) layer {
	out := layer{text: make([]byte, 0, len(l.text)), at: make([]int, 0, len(l.at))}
	for i := 0; i < len(l.text); {
		plain, size := unescape(l.text[i:])
		if size == 0 && truncated && isCutEscape(l.text[i:]) {
			break
		}
		if size == 0 {
			plain, size = string(l.text[i:i+1]), 1
		}
		for range len(plain) {
			out.at = append(out.at, l.at[i])
		}
		out.text = append(out.text, plain...)
		i += size
	}
	out.at = append(out.at, l.end())
	return out
}

// maxEscape bounds how long an escape is: HTML has long names for characters of ASCII too.
const maxEscape = len("&DiacriticalGrave;")

// unescape decodes the escape that text begins with. A size of 0 says that it begins with none.
func unescape(text []byte) (plain string, size int) {
	switch text[0] {
	case '%':
		return codePoint(text, 1, 2)
	case '\\':
		switch {
		case len(text) > 1 && text[1] == 'u':
			return codePoint(text, 2, 4)
		case len(text) > 1 && text[1] == 'x':
			return codePoint(text, 2, 2)
		case len(text) > 1 && strings.IndexByte(`"'\/`, text[1]) >= 0:
			return string(text[1:2]), 2
		}
	case '&':
		end := bytes.IndexByte(text[:min(len(text), maxEscape)], ';')
		if end < 0 {
			return "", 0
		}
		escape := string(text[:end+1])
		if plain = html.UnescapeString(escape); plain != escape {
			return plain, len(escape)
		}
	}
	return "", 0
}

// codePoint reads so many hexadecimal digits. Two are a byte, four a character.
func codePoint(text []byte, from, digits int) (plain string, size int) {
	if len(text) < from+digits {
		return "", 0
	}
	n, err := strconv.ParseUint(string(text[from:from+digits]), 16, 16)
	switch {
	case err != nil:
		return "", 0
	case digits == 2:
		return string([]byte{byte(n)}), from + digits
	}
	return string(rune(n)), from + digits
}

// isCutEscape reports whether a text that ends so may have been cut in the middle of an escape.
func isCutEscape(rest []byte) bool {
	isInner := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '#' }
	return len(rest) < maxEscape && bytes.IndexByte([]byte(`%\&`), rest[0]) >= 0 && len(bytes.TrimLeftFunc(rest[1:], isInner)) == 0
}
