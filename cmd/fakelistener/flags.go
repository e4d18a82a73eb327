package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// usageError is the error of a wrong command line. Its exit code is 64.
type usageError struct{ reason string }

func (e *usageError) Error() string { return e.reason + "\nsee 'fakelistener --help'" }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// options is the command line.
type options struct {
	config
	listen      string
	unixSocket  string
	addressFile string
	statsFile   string
	maxRuntime  time.Duration
	tokenFile   string
	tlsCert     string
	tlsKey      string
	verbose     bool
}

// parseArgs reads the command line. Nil options without an error mean that help or version has been
// printed.
func parseArgs(args []string, stdout io.Writer) (*options, error) {
	var opts *options
	var matches rules
	app := &cli.App{
		Name:            "fakelistener",
		Usage:           "an HTTP listener that answers as a script tells it to, for tests",
		UsageText:       "fakelistener [options]",
		Description:     description,
		HideHelpCommand: true, // "help" would be an argument that is silently accepted
		Flags:           flags(&matches),
		Writer:          stdout,
		ErrWriter:       io.Discard,
		OnUsageError:    func(_ *cli.Context, err error, _ bool) error { return reworded(err) },
		ExitErrHandler:  func(*cli.Context, error) {}, // the default ends the process
		Action: func(c *cli.Context) (err error) {
			if c.NArg() > 0 {
				return fmt.Errorf("unexpected argument %q", c.Args().First())
			}
			if c.Bool("version") {
				_, err = fmt.Fprintln(stdout, version())
				return err
			}
			opts, err = optionsOf(c, matches)
			return err
		},
	}
	if err := app.Run(args); err != nil {
		return nil, usagef("%s", strings.TrimSpace(err.Error()))
	}
	return opts, nil
}

// reworded puts the flag package's most common complaint in plain words.
func reworded(err error) error {
	if name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); unknown {
		return fmt.Errorf("unknown flag --%s", name)
	}
	return err
}

func optionsOf(c *cli.Context, matches rules) (*options, error) {
	for _, name := range c.FlagNames() {
		// An unset shell variable must not turn a check off.
		if c.String(name) == "" {
			return nil, fmt.Errorf("--%s is empty", name)
		}
	}
	o := &options{
		listen:      c.String("listen"),
		unixSocket:  c.String("unix-socket"),
		addressFile: c.String("address-file"),
		statsFile:   c.String("stats-file"),
		maxRuntime:  durationFlag(c, "max-runtime"),
		tokenFile:   c.String("token-file"),
		tlsCert:     c.String("tls-cert"),
		tlsKey:      c.String("tls-key"),
		verbose:     c.Bool("verbose"),
		config: config{
			Loop:        c.Bool("loop"),
			Rules:       matches,
			Latency:     durationFlag(c, "latency"),
			Schema:      c.Bool("schema"),
			Token:       c.String("token"),
			MaxBody:     int64(*c.Generic("max-body").(*sizeValue)),
			MaxRequests: c.Int64("max-requests"),
			RecordDir:   c.String("record"),
		},
	}
	var err error
	if o.Script, err = parseScript(c.String("script")); err != nil {
		return nil, err
	}
	if err = checkAddress(o.listen); err != nil {
		return nil, err
	}
	switch {
	case o.MaxRequests < 0:
		return nil, errors.New("--max-requests is negative")
	case o.Token != "" && o.tokenFile != "":
		return nil, errors.New("--token and --token-file are both given")
	case (o.tlsCert == "") != (o.tlsKey == ""):
		return nil, errors.New("--tls-cert and --tls-key go together")
	}
	return o, nil
}

func checkAddress(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("--listen %s is not HOST:PORT with a port from 0 to 65535", addr)
	}
	return nil
}

func durationFlag(c *cli.Context, name string) time.Duration {
	return time.Duration(*c.Generic(name).(*durationValue))
}

// durationValue is a flag that is a duration, as parseDuration reads it; 0 = none.
type durationValue time.Duration

// Set reads the flag's value.
func (d *durationValue) Set(text string) error {
	v, err := parseDuration(text)
	if err == nil && v < 0 {
		err = fmt.Errorf("the duration %s is negative", text)
	}
	*d = durationValue(v)
	return err
}

// String gives the duration as Go writes it.
func (d *durationValue) String() string { return time.Duration(*d).String() }

// sizeValue is a flag that is a number of bytes above zero, with or without one of the suffixes
// KiB, MiB and GiB.
type sizeValue int64

// Set reads the flag's value.
func (s *sizeValue) Set(text string) error {
	number, shift := text, 0
	for i, suffix := range []string{"KiB", "MiB", "GiB"} {
		if rest, ok := strings.CutSuffix(text, suffix); ok {
			number, shift = rest, 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt32<<10>>shift {
		return errors.New("a size is a number of bytes such as 4096, 64KiB or 16MiB, below 2 TiB")
	}
	*s = sizeValue(n << shift)
	return nil
}

// String gives the size in MiB where that is exact.
func (s *sizeValue) String() string {
	if *s >= 1<<20 && *s%(1<<20) == 0 {
		return strconv.FormatInt(int64(*s)>>20, 10) + "MiB"
	}
	return strconv.FormatInt(int64(*s), 10)
}
