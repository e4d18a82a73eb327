package transmit

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Printable returns text fit for a terminal, a log line or a JSON string: what is not printable (control characters,
// terminal escapes, line breaks, marks that turn the direction of writing, bytes that are not UTF-8) is written as Go
// escapes it. The result is valid UTF-8 of at most limit bytes, and three more for "..." where it was cut.
func Printable(text string, limit int) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		piece := text[i : i+size]
		if r == utf8.RuneError && size == 1 {
			const hex = "0123456789abcdef"
			piece = `\x` + string(hex[text[i]>>4]) + string(hex[text[i]&15])
		} else if !strconv.IsPrint(r) {
			piece = strings.Trim(strconv.QuoteRuneToASCII(r), "'")
		}
		if b.Len()+len(piece) > limit {
			return b.String() + "..."
		}
		b.WriteString(piece)
		i += size
	}
	return b.String()
}
