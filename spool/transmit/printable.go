package transmit

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Printable returns text fit for a terminal, a log line or a JSON string. Everything else is
// written as Go escapes it: control characters (C0 and C1), line and paragraph separators, marks
// that turn the direction of writing, invisible characters, spaces other than the common one,
// private and unassigned characters, and bytes that are not UTF-8.
func Printable(text string) string { return shortened(text, math.MaxInt) }

// shortened returns at most limit bytes of what Printable returns, and "..." where it was cut.
func shortened(text string, limit int) string {
	if len(text) <= limit && isPrintable(text) {
		return text
	}
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

func isPrintable(text string) bool {
	for _, r := range text {
		if r == utf8.RuneError || !strconv.IsPrint(r) {
			return false // U+FFFD may stand for a broken byte: the slow way tells them apart
		}
	}
	return true
}
