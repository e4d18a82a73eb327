package main

import (
	"fmt"
	"slices"
	"strings"
)

// The completions are made from the tables. After a change of a flag or command:
//
//	go test ./cmd/spoolfwd -run TestCompletions -update

// takes is what a shell can complete as a setting's value.
type takes int

const (
	takesNothing takes = iota // a switch
	takesAnything
	takesDir
	takesFile
	takesWord // one of a few
)

func (s setting) takes() (takes, []string) {
	switch {
	case s.isSwitch():
		return takesNothing, nil
	case s.arg == "DIR":
		return takesDir, nil
	case s.arg == "FILE":
		return takesFile, nil
	case strings.Contains(s.arg, "|"):
		words := strings.Split(s.arg, "|")
		if !slices.Contains(words, s.def) {
			words = append(words, s.def)
		}
		return takesWord, words
	}
	return takesAnything, nil
}

// leaf is a command that does something, with its words.
type leaf struct {
	path string // "rejected list"
	command
}

func leaves() []leaf {
	var all []leaf
	eachCommand(commands(), nil, func(words []string, c command) {
		if c.action != nil {
			all = append(all, leaf{strings.Join(words, " "), c})
		}
	})
	return all
}

// completes says what a command's operands are for a shell.
func (l leaf) completes() string {
	switch {
	case strings.Contains(l.operands, "FILE"):
		return "files"
	case strings.Contains(l.operands, "NAME"):
		return "rejected"
	}
	return ""
}

func flagsOf(c command) []setting {
	var all []setting
	for _, s := range newConfig().table {
		if s.on&c.use != 0 {
			all = append(all, s)
		}
	}
	return all
}

const madeFrom = "# Made from the program's tables by\n#   go test ./cmd/spoolfwd -run TestCompletions -update\n"

func namesOf(level []command) string {
	var all []string
	for _, c := range level {
		all = append(all, c.name)
	}
	return strings.Join(all, " ")
}

// bashCompletion needs nothing but bash 4: the package bash-completion only
// loads it.
func bashCompletion() string {
	var b strings.Builder
	b.WriteString("# bash completion for spoolfwd(8).\n" + madeFrom + `
# Prints the names of the rejected payloads of the spool that the command line
# names.
_spoolfwd_rejected() {
    local i
    local -a from=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --spool | --config) from+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}") ;;
        esac
    done
    "${COMP_WORDS[0]}" rejected list --json "${from[@]}" 2>/dev/null | sed -n 's/^    "name": "\(.*\)",$/\1/p'
}

_spoolfwd() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} first=${COMP_WORDS[1]} second=${COMP_WORDS[2]-}
    local flags='' operands=''
    COMPREPLY=()

    # help COMMAND
    if [[ $first == help && $COMP_CWORD -gt 1 ]]; then
        first=$second
        case $COMP_CWORD/$first in
`)
	fmt.Fprintf(&b, "        2/*) mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$cur\") ;;\n", namesOf(commands()))
	for _, c := range commands() {
		if c.sub != nil {
			fmt.Fprintf(&b, "        3/%s) mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$cur\") ;;\n", c.name, namesOf(c.sub))
		}
	}
	b.WriteString("        esac\n        return\n    fi\n\n    case $COMP_CWORD/$first in\n")
	fmt.Fprintf(&b, "    1/*)\n        mapfile -t COMPREPLY < <(compgen -W '%s help --help --version' -- \"$cur\")\n        return\n        ;;\n", namesOf(commands()))
	for _, c := range commands() {
		if c.sub != nil {
			fmt.Fprintf(&b, "    2/%s)\n        mapfile -t COMPREPLY < <(compgen -W '%s --help' -- \"$cur\")\n        return\n        ;;\n", c.name, namesOf(c.sub))
		}
	}
	b.WriteString("    esac\n\n    # The value of the flag before.\n    case $prev in\n")
	byTakes := map[takes][]string{}
	for _, s := range newConfig().table {
		kind, words := s.takes()
		if kind == takesWord {
			fmt.Fprintf(&b, "    --%s)\n        mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$cur\")\n        return\n        ;;\n", s.name, strings.Join(words, " "))
		}
		byTakes[kind] = append(byTakes[kind], "--"+s.name)
	}
	fmt.Fprintf(&b, "    %s)\n        compopt -o filenames 2>/dev/null\n        mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")\n        return\n        ;;\n", strings.Join(byTakes[takesDir], " | "))
	fmt.Fprintf(&b, "    %s)\n        compopt -o filenames 2>/dev/null\n        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n        return\n        ;;\n", strings.Join(byTakes[takesFile], " | "))
	fmt.Fprintf(&b, "    %s)\n        return\n        ;;\n    esac\n\n    case $first in\n", strings.Join(byTakes[takesAnything], " | "))
	for _, c := range commands() {
		if c.sub == nil {
			fmt.Fprintf(&b, "    %s)\n%s", c.name, bashFlags(leaf{c.name, c}, "        "))
		} else {
			fmt.Fprintf(&b, "    %s)\n        case $second in\n", c.name)
			for _, sub := range c.sub {
				fmt.Fprintf(&b, "        %s)\n%s", sub.name, bashFlags(leaf{c.name + " " + sub.name, sub}, "            "))
				b.WriteString("            ;;\n")
			}
			b.WriteString("        esac\n")
		}
		b.WriteString("        ;;\n")
	}
	b.WriteString(`    esac
    case $operands/$cur in
    */-*) mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$cur") ;;
    files/*)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        ;;
    rejected/*)
        # No word list: names may hold spaces and what the shell would expand.
        compopt -o filenames 2>/dev/null
        local name
        while IFS= read -r name; do
            [[ $name != "$cur"* ]] || COMPREPLY+=("$name")
        done < <(_spoolfwd_rejected)
        ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$cur") ;;
    esac
}

complete -F _spoolfwd spoolfwd
`)
	return b.String()
}

func bashFlags(l leaf, indent string) string {
	var flags []string
	for _, s := range flagsOf(l.command) {
		flags = append(flags, "--"+s.name)
	}
	text := indent + "flags='" + strings.Join(flags, " ") + "'\n"
	if kind := l.completes(); kind != "" {
		text += indent + "operands=" + kind + "\n"
	}
	return text
}
