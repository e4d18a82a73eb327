package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/settings"
)

// The shells' scripts know nothing of the program: they ask it for the words that can stand at the
// cursor, so that a completion is never older than the program. Where nothing is offered, the
// shells offer file names.
const (
	bashCompletion = `# bash completion for spoolfwd(8)
_spoolfwd() {
    mapfile -t COMPREPLY < <("${COMP_WORDS[0]}" completion bash -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _spoolfwd spoolfwd
`
	zshCompletion = `#compdef spoolfwd
# zsh completion for spoolfwd(8)
_spoolfwd() {
    local -a found
    found=("${(@f)$("$words[1]" completion zsh -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
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
    set -l last (commandline -ct)
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

// completionCommand prints the script for a shell. The script calls it again with the words of a
// command line, and it prints what the last of them may become.
func completionCommand(_ context.Context, s *session) error {
	scripts := map[string]string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}
	if len(s.operands) == 0 || scripts[s.operands[0]] == "" {
		return usageError("spoolfwd completion", fmt.Errorf("the shell is missing: bash, zsh or fish"))
	}
	shell, words := s.operands[0], s.operands[1:]
	if len(words) == 0 {
		_, err := s.out.Write([]byte(scripts[shell]))
		return err
	}
	for _, c := range complete(words) {
		switch shell {
		case "bash":
			s.out.Line("%s", c.word)
		case "zsh":
			s.out.Line("%s:%s", c.word, c.about)
		case "fish":
			s.out.Line("%s\t%s", c.word, c.about)
		}
	}
	return nil
}

type candidate struct{ word, about string }

// complete returns what the last of a command line's words may become. The words before it are the
// command's name and its flags.
func complete(words []string) []candidate {
	last, before := words[len(words)-1], words[:len(words)-1]
	c, flag := program(), ""
	for _, word := range before {
		flag = word
		if sub, found := c.find(word); found {
			c = sub
		}
	}
	var found []candidate
	offer := func(word, about string) {
		if strings.HasPrefix(word, last) {
			found = append(found, candidate{word, about})
		}
	}
	for _, sub := range c.sub {
		offer(sub.name, sub.usage)
	}
	if len(before) == 0 {
		offer("help", "show the help of a command")
	}
	for _, g := range settings.New().Of(c.takes) {
		for _, t := range g.Settings {
			if flag == "--"+t.Name && t.Arg() != "" { // its value is what is wanted
				found = nil
				for _, choice := range t.Choices() {
					offer(choice, t.Usage)
				}
				return found
			}
			if strings.HasPrefix(last, "-") || c.operands == "" {
				offer("--"+t.Name, t.Usage)
			}
		}
	}
	return found
}
