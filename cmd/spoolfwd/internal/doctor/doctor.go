// Package doctor examines everything that a run needs, and says what is wrong and how to put it
// right.
//
// It changes nothing on disk and sends no payload. Of the listener it wants no more than a
// connection, unless it is asked to send test items. It finds what a run would find and ends with
// the code that a run would end with, but it goes on after a fault, so that one look shows all of
// them.
package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
	"github.com/bitville-apm/spoolfwd/spool/transmit/jetstream/stream"
)

// Finding is one line of check.
type Finding struct {
	Level string    `json:"level"` // ok, warn, fail
	About string    `json:"about"`
	Text  string    `json:"text"`
	Mend  string    `json:"mend,omitempty"`
	Code  exit.Code `json:"-"` // of a run that meets it; exit.OK unless Level is fail
}

// Config is what there is to examine.
type Config struct {
	User        func() (string, error) // as whom a run works
	Spool       func() (*spool.Spool, error)
	Breaker     func() (*breaker.Breaker, error)
	Lock        func(path string) error // that it has been held for long
	Transmitter func() (Transmitter, error)

	StateDir    string
	MaxFileSize int64 // of a payload file
	IndexPath   string
	Listener    transmit.Config
	ConfigFile  string            // "" is none
	Offline     bool              // connect nowhere, and take it that runs are made on another machine
	Secrets     []string          // files that hold secrets
	StartedBy   int               // the uid that reads them
	Unknown     map[string]string // variables that set nothing, each with the one that was probably meant

	TestListener bool         // send it test items
	TestItem     []byte       // instead of one made up
	Drain        drain.Config // says how requests hold items
	Raw          bool         // items need not be JSON

	Hint func(error) string // what to do about an error, or ""
	Now  func() time.Time
}

// Transmitter is one of package transmit or of package jetstream.
type Transmitter interface{ Close() }

// publisher is the transmitter of package jetstream, which only one build of the program has.
type publisher interface {
	Target() stream.Target
	Inspect(ctx context.Context) stream.Inspection
	CertificateEnd() time.Time
}

// doctor collects findings.
type doctor struct {
	Config
	findings []Finding
}

// Examine returns what it finds, in the order of a run.
func Examine(ctx context.Context, c Config) []Finding {
	d := &doctor{Config: c}
	d.configuration()
	d.user()
	d.secrets()
	d.spool()
	d.state()
	d.clock()
	d.listener(ctx)
	return d.findings
}

func (d *doctor) ok(about, format string, args ...any) {
	d.findings = append(d.findings, Finding{Level: "ok", About: about, Text: fmt.Sprintf(format, args...)})
}

func (d *doctor) warn(about, mend, format string, args ...any) {
	d.findings = append(d.findings, Finding{Level: "warn", About: about, Text: fmt.Sprintf(format, args...), Mend: mend})
}

// fail takes the words from the error. The mend is for an error that has no hint. Offline, what is
// missing may be there where runs are made.
func (d *doctor) fail(about, mend string, err error) {
	for _, e := range exit.Each(err) {
		if d.Offline && errors.Is(e, fs.ErrNotExist) {
			d.warn(about, "it must be there where runs are made", "%v", e)
			continue
		}
		d.findings = append(d.findings, Finding{Level: "fail", About: about, Text: e.Error(), Mend: cmp.Or(d.Hint(e), mend), Code: exit.Of(e)})
	}
}

// wrong is fail for a fault of the configuration or of what an operator has put somewhere.
func (d *doctor) wrong(about, mend, format string, args ...any) {
	d.fail(about, mend, exit.With(exit.Config, fmt.Errorf(format, args...)))
}

// configuration looks for variables that are meant for us and do nothing.
func (d *doctor) configuration() {
	for _, name := range slices.Sorted(maps.Keys(d.Unknown)) {
		mend := ""
		if near := d.Unknown[name]; near != "" {
			mend = "did you mean " + near + "?"
		}
		d.warn("environment", mend, "%s is not a setting", name)
	}
	if d.ConfigFile != "" {
		d.ok("configuration", "%s is valid", d.ConfigFile)
	}
}

// secrets warns of files that others can read without need. A file of another owner's is read by
// its group, and that is how it is meant.
func (d *doctor) secrets() {
	for _, path := range d.Secrets {
		info, err := os.Stat(path)
		if err != nil {
			continue // whoever needs it says so
		}
		switch perm := info.Mode().Perm(); {
		case perm&0o004 != 0:
			d.warn("secrets", "chmod go-r "+path, "every user of this machine can read %s", path)
		case perm&0o040 != 0 && ownerOf(info) == d.StartedBy:
			d.warn("secrets", "chmod g-r "+path, "the group of %s can read it, and only its owner needs to", path)
		}
	}
}

// user says as whom a run works.
func (d *doctor) user() {
	name, err := d.User()
	d.ok("user", "%s", name)
	d.fail("user", "", err)
}

// clock compares the clock with the time of the commit that this program was built from: a machine
// without a battery wakes up in 1970.
func (d *doctor) clock() {
	now := d.Now()
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return
	}
	for _, set := range info.Settings {
		if built, err := time.Parse(time.RFC3339, set.Value); set.Key == "vcs.time" && err == nil && now.Before(built.Add(-24*time.Hour)) {
			d.warn("clock", "set it; is a time service running?", "the time is %s, which is before this program was made", now.Format(time.RFC3339))
			return
		}
	}
	d.ok("clock", "the time is %s", now.Format(time.RFC3339))
}
