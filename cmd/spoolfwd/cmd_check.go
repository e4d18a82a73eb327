package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool"
)

// finding is one line of check.
type finding struct {
	Level string    `json:"level"` // ok, warn, fail
	About string    `json:"about"`
	Text  string    `json:"text"`
	Mend  string    `json:"mend,omitempty"`
	code  exit.Code // of a run that meets it; exit.OK unless Level is fail
}

// doctor collects findings.
type doctor struct {
	s        *session
	findings []finding
}

func (d *doctor) ok(about, format string, args ...any) {
	d.findings = append(d.findings, finding{Level: "ok", About: about, Text: fmt.Sprintf(format, args...)})
}

func (d *doctor) warn(about, mend, format string, args ...any) {
	d.findings = append(d.findings, finding{Level: "warn", About: about, Text: fmt.Sprintf(format, args...), Mend: mend})
}

// fail takes the words and the mend from the error.
func (d *doctor) fail(about string, err error) {
	for _, e := range exit.Each(err) {
		d.findings = append(d.findings, finding{Level: "fail", About: about, Text: messageOf(e), Mend: hintOf(e), code: exit.Of(e)})
	}
}

// checkCommand examines everything a run needs. Nothing on disk changes and no
// payload is sent; of the listener it wants no more than a connection.
func checkCommand(ctx context.Context, s *session) error {
	d := &doctor{s: s}
	d.environment()
	d.spool()
	d.state()
	d.clock()
	d.listener(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}

	code := exit.OK
	for _, f := range d.findings {
		code = exit.Worst(code, f.code)
	}
	if s.cfg.JSON {
		s.out.JSON(map[string]any{"settings": s.cfg.Effective(), "findings": d.findings, "exit_code": code})
	} else {
		d.print()
	}
	return exit.Silently(code)
}

func (d *doctor) print() {
	for _, e := range d.s.cfg.Effective() {
		values, isList := e.Value.([]string)
		if !isList {
			values = []string{fmt.Sprint(e.Value)}
		}
		for _, v := range values {
			d.s.out.Line("     %s = %s  (%s)", e.Name, v, e.Source)
		}
	}
	d.s.out.Line("")
	for _, f := range d.findings {
		d.s.out.Line("%-4s %s: %s", f.Level, f.About, f.Text)
		if f.Mend != "" {
			d.s.out.Line("     %s", f.Mend)
		}
	}
}

// environment looks for variables that are meant for us and do nothing.
func (d *doctor) environment() {
	unknown := d.s.cfg.UnknownVariables(d.s.env.Environ)
	for _, name := range slices.Sorted(maps.Keys(unknown)) {
		mend := ""
		if near := unknown[name]; near != "" {
			mend = "did you mean " + near + "?"
		}
		d.warn("environment", mend, "%s is not a setting", name)
	}
	if d.s.cfg.Config != "" {
		d.ok("configuration", "%s is valid", d.s.cfg.Config)
	}
}

// spool looks at the directory and the oldest payload files.
func (d *doctor) spool() {
	const about = "spool"
	sp, err := d.s.openSpool()
	if err != nil {
		d.fail(about, err)
		return
	}
	defer sp.Close()
	w, err := sp.Scan(spool.Entry{}, sampled)
	if err != nil {
		d.fail(about, err)
		return
	}
	d.ok(about, "%s holds %s, %s", sp.Dir(), console.Count(w.Files, "payload file"), console.Size(w.Bytes))
	for _, skipped := range w.Skipped.Samples {
		if code := exit.OfSkipped(skipped.Err); code != exit.OK {
			d.fail(about, exit.With(code, &skipped))
		} else {
			d.warn(about, "move it away; it is never sent", "%s", skipped.Error())
		}
	}
	d.removable(sp.Dir(), w.Entries.All())
	d.rejectedDir(sp.Dir())
	d.room(about, sp.Dir())
	if n, bytes, err := sp.CountRejected(); err != nil {
		d.fail("rejected", err)
	} else if n > 0 {
		d.warn("rejected", "see 'spoolfwd rejected list'", "%s, %s", console.Count(n, "payload"), console.Size(bytes))
	}
}
