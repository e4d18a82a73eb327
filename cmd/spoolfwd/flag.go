package main

import (
	"flag"
	"strings"

	"github.com/urfave/cli/v2"
)

// settingFlag is a setting as a flag of the command line library. It only
// collects what was written; resolve decides and parses, so that all problems
// can be reported at once and no value is split on commas.
type settingFlag struct {
	*setting
	given map[string][]string
}

var _ cli.VisibleFlag = (*settingFlag)(nil)

// makeFlags makes the flags of all commands at once, which share them: the
// library is told of every command's in each run.
func (s *session) makeFlags() {
	s.flags = make([]settingFlag, len(s.cfg.table))
	for i := range s.flags {
		s.flags[i] = settingFlag{&s.cfg.table[i], s.given}
	}
}

// flagsFor returns the flags of a command. The library's own help flag is left
// out by the caller: it is one object shared by the whole process, and -h is in
// the table.
func (s *session) flagsFor(command uses) []cli.Flag {
	flags := make([]cli.Flag, 0, len(s.flags))
	for i := range s.flags {
		if s.flags[i].on&command != 0 {
			flags = append(flags, &s.flags[i])
		}
	}
	return flags
}

// Apply registers the flag under its long and its short name.
func (f *settingFlag) Apply(set *flag.FlagSet) error {
	value := collector{f}
	set.Var(value, f.name, f.usage)
	if f.short != "" {
		set.Var(value, f.short, f.usage)
	}
	return nil
}

// Names returns none. The library asks for names to find the flags whose values it
// is to set under another name as well, or to act on, and none of these is one; to
// find that out by name took a quarter of what an idle run computes itself.
func (f *settingFlag) Names() []string { return nil }

func (f *settingFlag) IsSet() bool     { _, ok := f.given[f.name]; return ok }
func (f *settingFlag) IsVisible() bool { return true }

// String is the flag's line in the help, two columns parted by a tab.
func (f *settingFlag) String() string {
	var b strings.Builder
	if f.short != "" {
		b.WriteString("-" + f.short + ", ")
	}
	b.WriteString("--" + f.name)
	if f.arg != "" {
		b.WriteString(" " + f.arg)
	}
	b.WriteString("\t" + f.usage)
	if f.def != "" && f.def != "0" && f.def != "0s" {
		b.WriteString(" (default " + f.def + ")")
	}
	return b.String()
}

// collector receives a flag's occurrences from the flag package.
type collector struct{ flag *settingFlag }

func (c collector) Set(text string) error {
	c.flag.given[c.flag.name] = append(c.flag.given[c.flag.name], text)
	return nil
}

// String is empty so that the library never mistakes our --help for its own,
// which would go looking for a help topic named like the first argument.
func (c collector) String() string { return "" }

func (c collector) IsBoolFlag() bool { return c.flag != nil && c.flag.isSwitch() }
