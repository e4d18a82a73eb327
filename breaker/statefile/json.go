package statefile

import (
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// EscapeJSON escapes what a terminal could obey in the strings of a JSON text, which people look at
// with cat. Its value stays the same. Go's encoder leaves DEL, the control characters above 127 and
// the marks that turn the direction of writing as they are. Outside strings JSON has no such
// characters.
func EscapeJSON(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r < ' ' || strconv.IsPrint(r) && r != utf8.RuneError:
			out = append(out, text[:size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		text = text[size:]
	}
	return out
}
