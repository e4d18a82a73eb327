package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"

	"github.com/bitville-apm/spoolfwd/breaker/statefile"
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
	return statefile.EscapeJSON(bytes.TrimSpace(text.Bytes()))
}

// jsonLines escapes what is written through it, one JSON value at a time.
type jsonLines struct{ w io.Writer }

func (l jsonLines) Write(line []byte) (int, error) {
	if _, err := l.w.Write(statefile.EscapeJSON(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}
