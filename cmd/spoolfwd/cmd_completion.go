package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/settings"
)

// The shells' scripts know nothing of the program: they ask it for the words that can stand at the
// cursor, so that a completion is never older than the program. Where nothing is offered, the
// shells offer file names.
//
// For bash a word also ends at "=" and ":". The replies are therefore only what follows the part of
// the word that bash keeps, and bash takes them as they are: the script quotes them.
const (
	bashCompletion = `# bash completion for spoolfwd(8)
_spoolfwd() {
    local line=${COMP_LINE:0:COMP_POINT} words word kept
    COMPREPLY=()
    [[ $line != *[\"\']* ]] || return 0
    read -a words <<<"$line"
    [[ $line != *[[:blank:]] ]] || words+=('')
    kept=${words[-1]%"${2//\\/}"}
    while IFS= read -r word; do
        printf -v word %q "${word#"$kept"}"
        COMPREPLY+=("$word")
    done < <("${COMP_WORDS[0]}" completion bash -- "${words[@]:1}" 2>/dev/null)
}
complete -o default -F _spoolfwd spoolfwd
`
	zshCompletion = `#compdef spoolfwd
# zsh completion for spoolfwd(8)
_spoolfwd() {
    local -a found
    found=("${(@f)$("$words[1]" completion zsh -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n $found[1] ]]; then
        _describe spoolfwd found
    else
        _files
    fi
}
if [[ $funcstack[1] == _spoolfwd ]]; then
    _spoolfwd "$@"
else
    compdef _spoolfwd spoolfwd
fi
`
	fishCompletion = `# fish completion for spoolfwd(8)
function __spoolfwd_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct | string unescape)
    set -l found (command spoolfwd completion fish -- $words[2..-1] "$last" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path "$last"
    end
end
complete -c spoolfwd -f -a '(__spoolfwd_complete)'
`
)

// completionCommand prints the script for a shell. The script calls it again with "--" and the
// words of a command line, and it prints what the last of them may become.
func completionCommand(ctx context.Context, s *session) error {
	scripts := map[string]string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}
	refuse := func(format string, a ...any) error {
		return usageError("spoolfwd completion", fmt.Errorf(format, a...))
	}
	if len(s.operands) == 0 {
		return refuse("the shell is missing: bash, zsh or fish")
	}
	shell, words := s.operands[0], s.operands[1:]
	switch {
	case scripts[shell] == "":
		return refuse("unknown shell %s: bash, zsh or fish", shell)
	case len(words) == 0:
		fmt.Fprint(s.out, scripts[shell])
		return nil
	case s.env.Args[3] != "--": // which a person does not type
		return refuse("unexpected argument %q", words[0])
	}
	for _, c := range s.complete(ctx, words) {
		switch shell {
		case "bash":
			s.out.Line("%s", c.word)
		case "zsh":
			s.out.Line("%s:%s", strings.NewReplacer(`\`, `\\`, ":", `\:`).Replace(c.word), c.about)
		case "fish":
			s.out.Line("%s\t%s", c.word, c.about)
		}
	}
	return nil
}

// candidate is a word that a shell may offer, and what it tells about it.
type candidate struct{ word, about string }

// complete returns what the last of a command line's words may become.
func (s *session) complete(ctx context.Context, words []string) []candidate {
	last, before := words[len(words)-1], words[:len(words)-1]
	c, args := program(), before
	if len(before) > 0 && before[0] == "help" {
		args = before[1:]
	}
	for len(args) > 0 {
		sub, found := c.find(args[0])
		if !found {
			break
		}
		c, args = sub, args[1:]
	}
	all, isValue := c.values(args, last)
	if !isValue {
		all = append(c.subcommands(len(before) == 0), s.operandsFor(ctx, c, args)...)
		if !slices.Contains(args, "--") && (strings.HasPrefix(last, "-") || c.operands == "") {
			all = append(all, c.flags()...)
		}
	}
	return slices.DeleteFunc(all, func(o candidate) bool { return !strings.HasPrefix(o.word, last) })
}

// values returns the words that may follow a flag, behind it or behind "=" in one word with it.
// They are the answer also where there are none: the value can be anything.
func (c command) values(args []string, last string) (all []candidate, isValue bool) {
	for _, g := range settings.New().Of(c.takes) {
		for _, t := range g.Settings {
			flag, prefix := "--"+t.Name, ""
			switch {
			case t.Arg() == "" || slices.Contains(args, "--"):
				continue
			case strings.HasPrefix(last, flag+"="):
				prefix = flag + "="
			case len(args) == 0 || args[len(args)-1] != flag:
				continue
			}
			for _, choice := range t.Choices() {
				all = append(all, candidate{prefix + choice, t.Usage})
			}
			return all, true
		}
	}
	return nil, false
}

func (c command) subcommands(isProgram bool) (all []candidate) {
	for _, sub := range c.sub {
		all = append(all, candidate{sub.name, sub.usage})
	}
	if isProgram {
		all = append(all, candidate{"help", "show the help of a command"})
	}
	return all
}

// operandsFor returns what an operand of the command may be under the settings that its arguments,
// the environment and the configuration file make. A problem offers nothing, since nobody reads
// messages while typing.
func (s *session) operandsFor(ctx context.Context, c command, args []string) []candidate {
	if c.offers == nil {
		return nil
	}
	var err error
	if s.operands, err = s.cfg.ReadFlags(c.takes, args); err != nil {
		return nil
	}
	if c.takes&settings.Work != 0 {
		if s.cfg.Resolve(s.env.Environ, s.env.ConfigFile) != nil || s.prepare(ctx, c.takes) != nil {
			return nil
		}
	}
	return c.offers(s)
}

// offerShells offers the operand of completion.
func offerShells(s *session) (all []candidate) {
	if len(s.operands) == 0 {
		for _, shell := range []string{"bash", "zsh", "fish"} {
			all = append(all, candidate{shell, "print its completion"})
		}
	}
	return all
}

func (c command) flags() (all []candidate) {
	for _, g := range settings.New().Of(c.takes) {
		for _, t := range g.Settings {
			all = append(all, candidate{"--" + t.Name, t.Usage})
			if t.Short != "" {
				all = append(all, candidate{"-" + t.Short, t.Usage})
			}
		}
	}
	return all
}
