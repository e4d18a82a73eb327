package transmit

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTextIsMadePrintable(t *testing.T) {
	for in, want := range map[string]string{
		"Not Found":               "Not Found",
		"Ünïcödé 日本":              "Ünïcödé 日本",
		"\x1b[31mred\x07":         `\x1b[31mred\a`,
		"a\r\nb\tc\x00":           `a\r\nb\tc\x00`,
		"\u009b31m":               `\u009b31m`,
		"\u202egnp.exe":           `\u202egnp.exe`,
		"line\u2028end":           `line\u2028end`,
		"\xff\xfe":                `\xff\xfe`,
		"\ufffd":                  "\ufffd",
		"\u2066x\u2069\u200f":     `\u2066x\u2069\u200f`,
		"a\u200bb\ufeff":          `a\u200bb\ufeff`,
		"a\u00a0b\u3000":          `a\u00a0b\u3000`,
		"\u0080\u009f\x7f":        `\u0080\u009f\x7f`,
		"\ue000\U000e0041":        `\ue000\U000e0041`,
		`it's "so" \`:             `it's "so" \`,
		"0123456789012345678901":  "01234567890123456789...",
		"0123456789012345678\x1b": `0123456789012345678...`,
		"012345678901234567日":     `012345678901234567...`,
	} {
		if got := shortened(in, 20); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("a\x1bb", 10)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = max(0, limit%1000)
		got := shortened(s, limit)
		if whole := Printable(s); !strings.HasPrefix(whole, strings.TrimSuffix(got, "...")) || Printable(whole) != whole {
			t.Fatalf("%q is %q whole, and %q of at most %d bytes", s, whole, got, limit)
		}
		if !utf8.ValidString(got) || len(got) > limit+3 {
			t.Fatalf("%q is not UTF-8 of at most %d bytes", got, limit+3)
		}
		if i := strings.IndexFunc(got, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }); i >= 0 {
			t.Fatalf("%q holds a control character", got)
		}
	})
}
