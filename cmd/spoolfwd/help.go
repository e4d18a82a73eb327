package main

import (
	"fmt"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// helpTemplate serves the program, groups and commands alike. Tabs align columns.
const helpTemplate = `{{.Path}} - {{.Usage}}

Usage:
  {{.Path}}{{if .Commands}} COMMAND{{end}} [FLAGS]{{with .Operands}} {{.}}{{end}}
{{with .About}}
{{.}}
{{end}}{{if .Commands}}
Commands:{{range .Commands}}
  {{.Name}}{{"\t"}}{{.Usage}}{{end}}
{{end}}{{with .Flags}}
Flags:{{range .}}
  {{.}}{{end}}
{{end}}{{if .Layers}}
A flag --some-name is also the environment variable SPOOLFWD_SOME_NAME and the
key some-name of the --config file; the flag wins, then the environment, then the
file. Lists stand one to a line in the environment. Flags that choose or force
something for one invocation are flags only: {{.FlagsOnly}}.
{{end}}{{with .Examples}}
Examples:{{range .}}
  {{.}}{{end}}
{{end}}
Exit codes:{{range .Exits}}
  {{.}}{{end}}
`

// helpPage is what the template shows.
type helpPage struct {
	Path, Usage, Operands, About string
	Commands                     []*cli.Command
	Flags                        []cli.Flag
	Layers                       bool
	FlagsOnly                    string
	Examples, Exits              []string
}

// beforeCommand answers --help and --version, before a subcommand is looked for:
// "spoolfwd --help run" must not start a run.
func (s *session) beforeCommand(c *cli.Context) error {
	if s.given["version"] != nil {
		info, known := debug.ReadBuildInfo()
		if !known {
			info = &debug.BuildInfo{}
		}
		s.out.Line("%s", versionLine(version(), info))
		return errDone
	}
	if s.given["help"] == nil {
		return nil
	}
	page := helpPage{Path: "spoolfwd", Usage: c.App.Usage, About: aboutProgram, Commands: c.App.Commands, Examples: programExamples()}
	if c.Command.Name != "spoolfwd" {
		spec := commandAt(c.Command.HelpName)
		page = helpPage{
			Path: c.Command.HelpName, Usage: c.Command.Usage, Operands: c.Command.ArgsUsage,
			About: spec.about, Commands: c.Command.Subcommands, Examples: spec.examples,
			Layers: spec.action != nil, FlagsOnly: s.flagsOnly(spec.use),
		}
	}
	page.Flags = c.Command.Flags
	for _, e := range exit.Meanings() {
		page.Exits = append(page.Exits, fmt.Sprintf("%d\t%s", e.Code, e.Text))
	}
	if s.given["check"] == nil && page.Path == "spoolfwd status" {
		page.Exits = append(page.Exits, "0 to 3\twith --check: ok, warning, critical, unknown")
	}
	cli.HelpPrinter(s.out, helpTemplate, page)
	return errDone
}

// flagsOnly names the flags of a command that no other layer can set.
func (s *session) flagsOnly(command uses) string {
	names := ""
	for _, t := range s.cfg.table {
		if t.on&command != 0 && t.from == layersFlag {
			if names != "" {
				names += ", "
			}
			names += "--" + t.name
		}
	}
	return names
}

// rootFlags are the flags of the program itself.
func (s *session) rootFlags() []cli.Flag {
	var unused bool
	version := setting{name: "version", dst: &unused, usage: "print the version"}
	return append(s.helpFlagOnly(), &settingFlag{&version, s.given})
}

func (s *session) helpFlagOnly() []cli.Flag {
	help, _ := s.cfg.find("help")
	return []cli.Flag{&settingFlag{&help, s.given}}
}
