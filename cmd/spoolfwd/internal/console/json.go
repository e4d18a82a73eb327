package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON prints one indented value.
func (p *Printer) JSON(v any) {
	p.Write(append(indented(v, ""), '\n'))
}

// JSONList prints a JSON array whose elements need not fit in memory together, as JSON prints one.
func (p *Printer) JSONList(elements iter.Seq[any]) {
	between := "[\n  "
	for v := range elements {
		fmt.Fprintf(p, "%s%s", between, indented(v, "  "))
		between = ",\n  "
	}
	if between == "[\n  " {
		fmt.Fprintln(p, "[]")
	} else {
		fmt.Fprintln(p, "\n]")
	}
}

func indented(v any, prefix string) []byte {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent(prefix, "  ")
	e.Encode(v)
	return escapeJSON(bytes.TrimSpace(text.Bytes()))
}

// jsonLines escapes what is written through it, one JSON value at a time.
type jsonLines struct{ w io.Writer }

func (l jsonLines) Write(line []byte) (int, error) {
	if _, err := l.w.Write(escapeJSON(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// escapeJSON escapes what a terminal could obey in the strings of a JSON text. Go's encoder leaves
// DEL, the control characters above 127 and the marks that turn the direction of writing as they
// are. Outside strings JSON has no such characters.
func escapeJSON(text []byte) []byte {
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
