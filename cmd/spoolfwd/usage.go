package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// usageError is a wrong command line: one sentence, and where to read on.
func usageError(path string, err error) error {
	return exit.With(exit.Usage, withHint(err, fmt.Sprintf("see '%s --help'", path)))
}

// withUsageHint adds where to read on to the last usage problem in err.
func withUsageHint(path string, err error) error {
	problems := exit.Each(err)
	for i := len(problems) - 1; i >= 0; i-- {
		if exit.Of(problems[i]) == exit.Usage {
			problems[i] = usageError(path, problems[i])
			break
		}
	}
	return errors.Join(problems...)
}

// onUsageError words the flag package's errors.
func (s *session) onUsageError(c *cli.Context, err error, _ bool) error {
	path := c.Command.HelpName
	if path == "" {
		path = "spoolfwd"
	}
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		return usageError(path, s.unknownFlag(c, name))
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		return usageError(path, fmt.Errorf("%s needs a value", dashed(name)))
	}
	return usageError(path, errors.New(strings.ReplaceAll(text, " -", " --")))
}

// unknownFlag explains a flag that the command does not take.
func (s *session) unknownFlag(c *cli.Context, name string) error {
	_, exists := s.cfg.find(name)
	if c.Command.Name == "spoolfwd" && exists {
		return fmt.Errorf("%s goes behind the command, as in 'spoolfwd run %[1]s'", dashed(name))
	}
	if exists {
		return fmt.Errorf("%s does not take %s", c.Command.HelpName, dashed(name))
	}
	var names []string
	for _, f := range c.Command.Flags {
		names = append(names, f.(*settingFlag).name)
	}
	if near := nearest(name, names); near != "" {
		return fmt.Errorf("unknown flag %s, did you mean %s?", dashed(name), dashed(near))
	}
	return fmt.Errorf("unknown flag %s", dashed(name))
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// noCommand is the action of the program and of commands that only group
// others: the library comes here when the next word is none of theirs.
func (s *session) noCommand(c *cli.Context) error {
	path, known := "spoolfwd", c.App.Commands
	if c.Command.Name != "spoolfwd" {
		path, known = c.Command.HelpName, c.Command.Subcommands
	}
	var names []string
	for _, k := range known {
		names = append(names, k.Name)
	}
	word := c.Args().First()
	if word == "" {
		return usageError(path, fmt.Errorf("a command is missing: %s", strings.Join(names, ", ")))
	}
	if near := nearest(word, names); near != "" {
		return usageError(path, fmt.Errorf("unknown command %q, did you mean %q?", word, near))
	}
	return usageError(path, fmt.Errorf("unknown command %q; there is %s", word, strings.Join(names, ", ")))
}

// arrange turns the arguments into the order that the library reads: the
// command's words, its flags, its operands. "help run" becomes "run --help".
func (s *session) arrange(args []string) ([]string, error) {
	if len(args) < 2 {
		return args, nil
	}
	rest := args[1:]
	if rest[0] == "help" {
		rest = append(append([]string{}, rest[1:]...), "--help")
	}
	words, path := args[:1:1], "spoolfwd"
	level := commands()
	for len(rest) > 0 && len(level) > 0 {
		c, found := findCommand(level, rest[0])
		if !found {
			return append(words, rest...), nil
		}
		words, rest, level = append(words, rest[0]), rest[1:], c.sub
		path += " " + c.name
		if c.action == nil {
			continue
		}
		arranged, err := flagsFirst(rest, func(name string) (setting, bool) { return s.cfg.takes(c.use, name) })
		if err != nil {
			return nil, usageError(path, err)
		}
		return append(words, arranged...), nil
	}
	return append(words, rest...), nil
}
