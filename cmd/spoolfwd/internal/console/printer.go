package console

import (
	"fmt"
	"io"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// Printer is standard output. It remembers the first error, so that a command whose answer went to
// a full disk does not end with success.
type Printer struct {
	w   io.Writer
	err error
}

// NewPrinter returns a Printer that writes to w.
func NewPrinter(w io.Writer) *Printer { return &Printer{w: w} }

// Err returns the first error of writing.
func (p *Printer) Err() error { return p.err }

func (p *Printer) Write(b []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	n, err := p.w.Write(b)
	p.err = err
	return n, err
}

// Line prints one line. Its arguments are made printable: names of payload files and a listener's
// words can hold what a terminal obeys.
func (p *Printer) Line(format string, args ...any) {
	for i, a := range args {
		switch a := a.(type) {
		case string:
			args[i] = transmit.Printable(a)
		case error:
			args[i] = transmit.Printable(a.Error())
		}
	}
	fmt.Fprintf(p, format+"\n", args...)
}
