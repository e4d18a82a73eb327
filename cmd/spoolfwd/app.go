package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/settings"
)

// session is one invocation of the program.
type session struct {
	env      Env
	cfg      *settings.Settings
	operands []string
	stdout   *console.Writer
	stderr   *console.Writer
	out      *console.Printer // to stdout
	log      *slog.Logger     // to stderr
	identity string           // cached by hostID

	startedBy      int         // the effective uid at the start
	account        account     // the user as whom the command works
	errAccount     error       // why check did not become that user
	transmitter    transmitter // for commands that need one
	errTransmitter error       // why there is none
	sources        []*source   // for put; opened by prepare
}

// run is the program: it does what env.Args say and returns the exit code. It does not return
// before everything it started has ended.
func run(ctx context.Context, env Env) int {
	patience := cmp.Or(env.Patience, 5*time.Second)
	s := &session{
		env: env, cfg: settings.New(),
		stdout: console.NewWriter(ctx, env.Stdout, patience),
		stderr: console.NewWriter(ctx, env.Stderr, patience),
	}
	s.out = console.NewPrinter(s.stdout)
	s.startLog()
	args := slices.Clone(env.Args)
	if len(args) > 1 && args[1] == "help" { // "help run" is "run --help"
		args = append(slices.Delete(args, 1, 2), "--help")
	}
	err := s.app().RunContext(ctx, args)
	switch errOut := s.out.Err(); {
	case errOut == nil, errors.Is(errOut, syscall.EPIPE): // a reader that has seen enough (head) is not an error of ours
	case errors.Is(errOut, console.ErrStuck) && ctx.Err() != nil:
		err = errors.Join(err, context.Cause(ctx))
	default:
		err = errors.Join(err, exit.With(exit.IO, fmt.Errorf("cannot write to standard output: %w", errOut)))
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
		Writer:  s.stderr,
		JSON:    s.cfg.LogFormat == "json",
		Verbose: s.cfg.Verbose,
		Kind:    s.env.StderrIs,
		Now:     s.env.Now,
	})
}

// app returns the command line. The library finds the command and no more: it reads no flags,
// prints no errors and does not exit.
func (s *session) app() *cli.App {
	root := s.cliCommand(program())
	return &cli.App{
		Name:            root.Name,
		Usage:           root.Usage,
		Commands:        root.Subcommands,
		SkipFlagParsing: true,
		Action:          root.Action,
		HideHelp:        true,
		HideVersion:     true,
		Compiled:        time.Unix(0, 0), // otherwise the library stats the binary at every start
		Reader:          strings.NewReader(""),
		Writer:          s.out,
		ErrWriter:       io.Discard,
		ExitErrHandler:  func(*cli.Context, error) {},
	}
}

// cliCommand makes the library's command from ours.
func (s *session) cliCommand(c command) *cli.Command {
	out := &cli.Command{Name: c.name, Usage: c.usage, SkipFlagParsing: true, HideHelp: true}
	for _, sub := range c.sub {
		out.Subcommands = append(out.Subcommands, s.cliCommand(sub))
	}
	out.Action = func(cc *cli.Context) error {
		return s.perform(cc.Context, c, cc.Command.HelpName, cc.Args().Slice())
	}
	return out
}

// holdsLock is the commands that take the lock, which no reader of their output may keep.
const holdsLock = settings.Run | settings.Flush | settings.Retry | settings.Remove | settings.BreakerReset | settings.BreakerTrip

// perform reads a command's arguments, settles the settings and runs the command.
func (s *session) perform(ctx context.Context, c command, path string, args []string) (err error) {
	if s.operands, err = s.cfg.ReadFlags(c.takes, args); err != nil {
		return usageError(path, err)
	}
	switch {
	case c.action == nil && len(s.operands) > 0:
		return usageError(path, c.unknown(s.operands))
	case s.cfg.Help || c.name == "spoolfwd" && len(args) == 0:
		s.printHelp(c, path)
		return nil
	case s.cfg.Version:
		return versionCommand(ctx, s)
	case c.action == nil:
		return usageError(path, c.unknown(s.operands))
	}
	var problems []error
	if c.most >= 0 && len(s.operands) > c.most {
		problems = append(problems, exit.With(exit.Usage, fmt.Errorf("unexpected argument %q", s.operands[c.most])))
	}
	if c.takes&settings.Work != 0 {
		problems = append(problems, s.cfg.Resolve(s.env.Environ, s.env.ConfigFile))
		if c.takes&settings.Delivery != 0 && os.Geteuid() == 0 {
			s.cfg.FindStoredToken(s.env.Credstores)
		}
		s.startLog()
	}
	if err := errors.Join(problems...); err != nil {
		if s.cfg.Check { // a plugin answers in a plugin's way
			return s.pluginUnknown(err)
		}
		return withUsageHint(path, err)
	}
	if c.takes&settings.Delivery != 0 {
		// It opens what perhaps only the user may read who started the program. Signals are caught
		// after it: it may become another program, which would know nothing of one that was caught.
		s.transmitter, s.errTransmitter = s.newTransmitter()
	}
	if c.takes&settings.Run == 0 || s.cfg.DryRun {
		s.catchSignals() // a run does so when it has something to send
	}
	if c.takes&settings.Work != 0 {
		if err := s.prepare(ctx, c.takes); err != nil {
			if s.cfg.Check {
				return s.pluginUnknown(err)
			}
			return err
		}
	}
	if c.takes&holdsLock != 0 && !s.cfg.DryRun {
		s.stdout.Hurry()
		s.stderr.Hurry()
	}
	return c.action(ctx, s)
}

// usageError is a wrong command line: one sentence, and where to read on.
func usageError(path string, err error) error {
	hint := fmt.Sprintf("see '%s --help'", path)
	var other *settings.NotTakenError
	if errors.As(err, &other) {
		hint = fmt.Sprintf("%s is a flag of %s; %s", other.Flag, strings.Join(takers(commands(), "", other.Takes), ", "), hint)
	}
	return exit.With(exit.Usage, withHint(err, hint))
}

// takers returns the commands of a set, as a user writes them.
func takers(level []command, before string, set settings.Commands) []string {
	var names []string
	for _, c := range level {
		if c.action != nil && c.takes&set != 0 {
			names = append(names, before+c.name)
		}
		names = append(names, takers(c.sub, before+c.name+" ", set)...)
	}
	return names
}

// withUsageHint adds where to read on to the last usage problem in err.
func withUsageHint(path string, err error) error {
	problems := exit.Each(err)
	for i, problem := range slices.Backward(problems) {
		if exit.Of(problem) == exit.Usage {
			problems[i] = usageError(path, problem)
			break
		}
	}
	return errors.Join(problems...)
}

// unknown says what is wrong with the first word behind a command that only holds others.
func (c command) unknown(operands []string) error {
	if len(operands) == 0 {
		return fmt.Errorf("a command is missing: %s", strings.Join(namesOf(c.sub), ", "))
	}
	names := namesOf(c.sub)
	if near := settings.Nearest(operands[0], names); near != "" {
		return fmt.Errorf("unknown command %q, did you mean %q?", operands[0], near)
	}
	return fmt.Errorf("unknown command %q; there is %s", operands[0], strings.Join(names, ", "))
}
