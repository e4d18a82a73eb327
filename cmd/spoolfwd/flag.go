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
	setting
	given map[string][]string
}

var _ cli.VisibleFlag = (*settingFlag)(nil)

// flagsFor returns the flags of a command. The library's own help flag is left
// out by the caller: it is one object shared by the whole process, and -h is in
// the table.
func (c *config) flagsFor(command uses, given map[string][]string) []cli.Flag {
	var flags []cli.Flag
	for _, s := range c.table {
		if s.on&command != 0 {
			flags = append(flags, &settingFlag{s, given})
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

// Names returns the long name only: with two, the library would set the other
// once more, and lists would hold everything twice.
func (f *settingFlag) Names() []string { return []string{f.name} }

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
