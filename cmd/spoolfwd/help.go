package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/settings"
)

// helpTemplate serves the program, groups and commands alike. Tabs align columns.
const helpTemplate = `{{.Path}} - {{.Usage}}

Usage:
  {{.Path}}{{if .Commands}} COMMAND{{end}} [FLAGS]{{with .Operands}} {{.}}{{end}}
{{with .About}}
{{.}}
{{end}}{{with .WorksAs}}
Started by root, it works as the owner of {{.}}.
{{end}}{{if .Commands}}
Commands:{{range .Commands}}
  {{index . 0}}{{"\t"}}{{index . 1}}{{end}}
{{end}}{{range .Groups}}
{{.Name}}:{{range .Settings}}
  {{.Heading}}{{"\t"}}{{.Usage}}{{with .Default}} (default {{.}}){{end}}{{end}}
{{end}}{{with .FlagsOnly}}
A flag --some-name is also the environment variable SPOOLFWD_SOME_NAME and the
key some-name of the --config file; the flag wins, then the environment, then the
file. Lists stand one to a line in the environment. These are flags only, since
they choose or force something for one invocation: {{.}}.
{{end}}{{with .Examples}}
Examples:{{range .}}
  {{.}}{{end}}
{{end}}
Exit codes:{{range .Exits}}
  {{index . 0}}{{"\t"}}{{index . 1}}{{end}}
`

// helpPage is what the template shows. Pairs are rows of two columns.
type helpPage struct {
	Path, Usage, Operands, About string
	Commands                     [][2]string
	Groups                       []settings.Group
	WorksAs                      string // the directory whose owner root becomes
	FlagsOnly                    string
	Examples                     []string
	Exits                        [][2]string
}

func (s *session) printHelp(c command, path string) {
	page := helpPage{
		Path: path, Usage: c.usage, Operands: c.operands, About: c.about,
		Groups: settings.New().Of(c.takes), Examples: c.examples,
	}
	if c.takes&settings.Work != 0 {
		page.FlagsOnly = strings.Join(flagsOnly(page.Groups), ", ")
	}
	switch {
	case c.takes&settings.Spool != 0:
		page.WorksAs = "the spool"
	case c.takes&settings.Breaker != 0:
		page.WorksAs = "the state directory"
	}
	for _, sub := range c.sub {
		page.Commands = append(page.Commands, [2]string{sub.name, sub.usage})
	}
	for _, m := range exit.Meanings() {
		if words, can := c.ending(m); can {
			page.Exits = append(page.Exits, [2]string{fmt.Sprint(int(m.Code)), words})
		}
	}
	if c.takes == settings.Status {
		page.Exits = append(page.Exits, [2]string{"0 to 3", "with --check: ok, warning, critical, unknown"})
	}
	cli.HelpPrinter(s.out, helpTemplate, page)
}

// flagsOnly names the flags that neither environment nor file can set.
func flagsOnly(groups []settings.Group) []string {
	var names []string
	for _, g := range groups {
		for _, t := range g.Settings {
			if t.FlagOnly() {
				names = append(names, "--"+t.Name)
			}
		}
	}
	return names
}
