package transmit

import (
	"bytes"
	"html"
	"strconv"
	"strings"
	"unicode"
)

// A layer is a text with some encodings taken off. parts says of each of its bytes which part of
// the original text it comes from.
type layer struct {
	text  []byte
	parts []span
}

func (l *layer) add(c byte, part span) {
	l.text, l.parts = append(l.text, c), append(l.parts, part)
}

// unescaped takes one escaping off, whichever each part of the text has. A truncated text may end
// in the middle of an escape, which is left out.
func (l layer) unescaped(truncated bool) layer {
	out := layer{text: make([]byte, 0, len(l.text)), parts: make([]span, 0, len(l.parts))}
	for i := 0; i < len(l.text); {
		plain, size := unescape(l.text[i:])
		if truncated && (size == 0 || i+size == len(l.text)) && isCutEscape(l.text[i:]) {
			break
		}
		if size == 0 {
			plain, size = string(l.text[i:i+1]), 1
		}
		part := span{l.parts[i].from, l.parts[i+size-1].to}
		for j := range len(plain) {
			out.add(plain[j], part)
		}
		i += size
	}
	return out
}

// maxEscape bounds how long an escape is: HTML has long names for characters of ASCII too.
const maxEscape = len("&DiacriticalGrave;")

// unescape decodes the escape that text begins with. A size of 0 says that it begins with none.
func unescape(text []byte) (plain string, size int) {
	text = text[:min(len(text), maxEscape)]
	switch text[0] {
	case '%':
		return unescapeByte(text, 1)
	case '&':
		return unescapeHTML(text)
	case '\\':
		if len(text) == 1 {
			return "", 0
		}
		switch c := text[1]; c {
		case '"', '\'', '\\', '/':
			return string(c), 2
		case 'n', 'r': // as they stand in base64
			return "\n", 2
		case 'x':
			return unescapeByte(text, 2)
		case 'u':
			if end := bytes.IndexByte(text, '}'); end > 0 && text[2] == '{' {
				plain, size = unescapeRune(text, 3, end)
				return plain, size + min(size, 1) // the brace
			}
			return unescapeRune(text, 2, 6)
		case 'U':
			return unescapeRune(text, 2, 10)
		}
	}
	return "", 0
}

func unescapeByte(text []byte, from int) (plain string, size int) {
	n, ok := hexadecimal(text, from, from+2)
	if !ok {
		return "", 0
	}
	return string([]byte{byte(n)}), from + 2
}

func unescapeRune(text []byte, from, to int) (plain string, size int) {
	n, ok := hexadecimal(text, from, to)
	if !ok {
		return "", 0
	}
	return string(rune(n)), to
}

func hexadecimal(text []byte, from, to int) (n uint64, ok bool) {
	if len(text) < to {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[from:to]), 16, 31)
	return n, err == nil
}

// unescapeHTML decodes as browsers do, to whom some escapes need no semicolon. What follows the
// escape stays as it is, so the two texts have it in common.
func unescapeHTML(text []byte) (plain string, size int) {
	if next := bytes.IndexByte(text[1:], '&'); next >= 0 {
		text = text[:1+next]
	}
	plain = html.UnescapeString(string(text))
	size = len(text)
	for plain != "" && size > 0 && plain[len(plain)-1] == text[size-1] {
		plain, size = plain[:len(plain)-1], size-1
	}
	return plain, size
}

// isCutEscape reports whether a text that ends so may have been cut in the middle of an escape.
func isCutEscape(rest []byte) bool {
	isInner := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("#{", r) }
	return len(rest) < maxEscape && bytes.IndexByte([]byte(`%\&`), rest[0]) >= 0 && len(bytes.TrimLeftFunc(rest[1:], isInner)) == 0
}

// unbase64 keeps what sequences of base64 digits stand for that are long enough for a secret, of
// either alphabet and with line breaks in them. It skips the first digits of each: a secret need
// not begin with a group of four.
func (l layer) unbase64(skip int) layer {
	var out layer
	var value uint
	digits, bits := 0, 0 // read of this sequence; waiting in value
	begin := 0           // of this sequence in out
	var last span        // the digit before
	for i, c := range l.text {
		digit := base64Digit(c)
		switch {
		case c == '\n' || c == '\r':
			continue
		case digit < 0:
			if out.keep(begin) {
				out.add(c, l.parts[i])
			}
			digits, bits, begin = 0, 0, len(out.text)
			continue
		}
		if digits++; digits <= skip {
			continue
		}
		value, bits = value<<6|uint(digit), bits+6
		if bits >= 8 {
			bits -= 8
			out.add(byte(value>>bits), span{last.from, l.parts[i].to})
		}
		last = l.parts[i]
	}
	out.keep(begin)
	return out
}

// keep drops the text from begin on that is too short for a secret.
func (l *layer) keep(begin int) bool {
	if len(l.text)-begin >= leastSecret {
		return true
	}
	l.text, l.parts = l.text[:begin], l.parts[:begin]
	return false
}

func base64Digit(c byte) int {
	switch {
	case 'A' <= c && c <= 'Z':
		return int(c - 'A')
	case 'a' <= c && c <= 'z':
		return int(c-'a') + 26
	case '0' <= c && c <= '9':
		return int(c-'0') + 52
	case c == '+' || c == '-':
		return 62
	case c == '/' || c == '_':
		return 63
	}
	return -1
}
