package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// session is one invocation of the program.
type session struct {
	env      Env
	cfg      *config
	given    map[string][]string // flags as written, by setting
	flags    []settingFlag       // as the table of settings
	operands []string
	out      *console.Printer
	log      *slog.Logger
}

// errDone ends an invocation that has answered already: help, version.
var errDone = errors.New("answered")

// run is the program: it does what env.Args say and returns the exit code. It
// does not return before everything it started has ended.
func run(ctx context.Context, env Env) int {
	s := &session{env: env, cfg: newConfig(), given: make(map[string][]string), out: console.NewPrinter(env.Stdout)}
	s.startLog()
	err := s.dispatch(ctx)
	if errors.Is(err, errDone) {
		err = nil
	}
	// A reader that has seen enough (head) is no error of ours.
	if s.out.Err() != nil && !errors.Is(s.out.Err(), syscall.EPIPE) {
		err = errors.Join(err, exit.With(exit.IO, fmt.Errorf("cannot write to standard output: %w", s.out.Err())))
	}
	var plugin *pluginResult
	if errors.As(err, &plugin) {
		return plugin.code
	}
	logError(s.log, slog.LevelError, err)
	return int(exit.Of(err))
}

func (s *session) startLog() {
	s.log = console.NewLog(console.LogConfig{
		Writer:  s.env.Stderr,
		JSON:    s.cfg.LogFormat == "json",
		Verbose: s.cfg.Verbose,
		Kind:    s.env.StderrIs,
		Now:     s.env.Now,
	})
}

// dispatch parses the arguments and runs the command they name.
func (s *session) dispatch(ctx context.Context) error {
	args, err := s.arrange(s.env.Args)
	if err != nil {
		return err
	}
	return s.app().RunContext(ctx, args)
}

// app returns the command line. What the library would do by itself is taken
// from it: it neither prints errors nor exits, knows no hidden completion flag,
// and its shared help and version flags stay out.
func (s *session) app() *cli.App {
	app := &cli.App{
		Name:           "spoolfwd",
		Usage:          "send spooled payload files to an HTTP listener",
		HideHelp:       true,
		HideVersion:    true,
		Compiled:       time.Unix(0, 0), // else it stats the binary at every start
		Reader:         strings.NewReader(""),
		Writer:         s.out,
		ErrWriter:      io.Discard,
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   s.onUsageError,
		Flags:          s.rootFlags(),
		Before:         s.beforeCommand,
		Action:         s.noCommand,

		DisableSliceFlagSeparator: true,
	}
	s.makeFlags()
	for _, c := range commands() {
		app.Commands = append(app.Commands, s.cliCommand(c))
	}
	return app
}

// cliCommand makes the library's command from ours.
func (s *session) cliCommand(c command) *cli.Command {
	out := &cli.Command{
		Name:         c.name,
		Usage:        c.usage,
		ArgsUsage:    c.operands,
		HideHelp:     true,
		OnUsageError: s.onUsageError,
		Before:       s.beforeCommand,
		Action:       s.noCommand,
	}
	for _, sub := range c.sub {
		out.Subcommands = append(out.Subcommands, s.cliCommand(sub))
	}
	if c.action == nil {
		out.Flags = s.helpFlagOnly()
		return out
	}
	out.Flags = s.flagsFor(c.use)
	out.Action = func(cc *cli.Context) error {
		s.operands = cc.Args().Slice()
		return s.perform(cc.Context, c, cc.Command.HelpName)
	}
	return out
}

// perform settles operands and settings, then runs the command.
func (s *session) perform(ctx context.Context, c command, path string) error {
	var problems []error
	if c.most >= 0 && len(s.operands) > c.most {
		problems = append(problems, exit.With(exit.Usage, fmt.Errorf("unexpected argument %q", s.operands[c.most])))
	}
	problems = append(problems, s.cfg.resolve(s.given, s.env))
	s.startLog()
	if err := errors.Join(problems...); err != nil {
		if s.given["check"] != nil { // a plugin answers in a plugin's way
			return s.pluginUnknown(err)
		}
		return withUsageHint(path, err)
	}
	return c.action(ctx, s)
}
