package main

import (
	"fmt"
	"strings"
)

// zshCompletion is a function file for $fpath.
func zshCompletion() string {
	var b strings.Builder
	b.WriteString("#compdef spoolfwd\n# zsh completion for spoolfwd(8).\n" + madeFrom + `
_spoolfwd_names() {
    local -a from names
    local i
    for ((i = 1; i < $#words; i++)); do
        [[ $words[i] == (--spool|--config) ]] && from+=("$words[i]" "${(Q)words[i+1]}")
    done
    names=(${(f)"$(_call_program rejected spoolfwd rejected list --json ${(q)from} 2>/dev/null | sed -n 's/^    "name": "\(.*\)",$/\1/p')"})
    _wanted rejected expl 'rejected payload' compadd -a names
}

`)
	for _, l := range leaves() {
		fmt.Fprintf(&b, "%s() {\n    _arguments -s", zshFunction(l.path))
		for _, s := range flagsOf(l.command) {
			b.WriteString(" \\\n        " + zshFlag(s))
		}
		switch l.completes() {
		case "files":
			b.WriteString(" \\\n        '*:payload:_files'")
		case "rejected":
			b.WriteString(" \\\n        '*:name:_spoolfwd_names'")
		}
		b.WriteString("\n}\n\n")
	}
	for _, c := range commands() {
		if c.sub != nil {
			b.WriteString(zshGroup("_spoolfwd_"+c.name, "spoolfwd_"+c.name, c.sub, nil))
		}
	}
	help := command{name: "help", usage: "show help for a command"}
	b.WriteString("_spoolfwd_help() {\n    case $CURRENT in\n")
	fmt.Fprintf(&b, "    2) _values command %s ;;\n", namesOf(commands()))
	b.WriteString("    3) case $words[2] in\n")
	for _, c := range commands() {
		if c.sub != nil {
			fmt.Fprintf(&b, "        %s) _values command %s ;;\n", c.name, namesOf(c.sub))
		}
	}
	b.WriteString("        esac ;;\n    esac\n}\n\n")
	b.WriteString(zshGroup("_spoolfwd", "spoolfwd", append(commands(), help), []string{"'--version[print the version]'"}))
	b.WriteString("_spoolfwd \"$@\"\n")
	return b.String()
}

func zshFunction(path string) string { return "_spoolfwd_" + strings.ReplaceAll(path, " ", "_") }

// zshGroup completes one of the commands, then what that one takes.
func zshGroup(function, prefix string, level []command, more []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s() {\n    local curcontext=$curcontext state line\n    local -a commands=(\n", function)
	for _, c := range level {
		fmt.Fprintf(&b, "        %s\n", quoted(c.name+":"+strings.ReplaceAll(c.usage, ":", `\:`)))
	}
	b.WriteString("    )\n    _arguments -C '(-h --help)'{-h,--help}'[show this help]'")
	for _, m := range more {
		b.WriteString(" " + m)
	}
	b.WriteString(" '1: :->command' '*:: :->rest'\n    case $state in\n    command) _describe command commands ;;\n    rest)\n        case $words[1] in\n")
	for _, c := range level {
		fmt.Fprintf(&b, "        %s) _%s_%s ;;\n", c.name, prefix, c.name)
	}
	b.WriteString("        esac\n        ;;\n    esac\n}\n\n")
	return b.String()
}

func zshFlag(s setting) string {
	text := strings.NewReplacer("[", `\[`, "]", `\]`, ":", `\:`).Replace(s.usage)
	name, repeat := "--"+s.name, ""
	if s.isList() {
		repeat = "*"
	}
	message := strings.NewReplacer("'", "", ":", `\:`).Replace(s.arg)
	action := ""
	switch kind, words := s.takes(); kind {
	case takesNothing:
		if s.short != "" {
			return quoted(fmt.Sprintf("(-%s %s)", s.short, name)) + fmt.Sprintf("{-%s,%s}", s.short, name) + quoted("["+text+"]")
		}
		return quoted(name + "[" + text + "]")
	case takesDir:
		action = "_files -/"
	case takesFile:
		action = "_files"
	case takesWord:
		action = "(" + strings.Join(words, " ") + ")"
	default:
		action = " "
	}
	return quoted(repeat + name + "[" + text + "]:" + message + ":" + action)
}

// quoted is text in single quotes for a shell; zsh and fish differ in how they
// write a single quote inside, and there is no other character to care about.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

func fishCompletion() string {
	var b strings.Builder
	b.WriteString("# fish completion for spoolfwd(8).\n" + madeFrom + `
# Is the command line at one of these commands?
function __spoolfwd_at
    set -l words (commandline -opc)
    for command in $argv
        set -l n (count (string split ' ' -- $command))
        test "$words[2..$(math $n + 1)]" = "$command"; and return 0
    end
    return 1
end

# Are these all the words before the cursor?
function __spoolfwd_after
    set -l words (commandline -opc)
    test "$words[2..]" = "$argv"
end

function __spoolfwd_rejected
    set -l words (commandline -opc)
    set -l from
    for i in (seq (count $words))
        contains -- $words[$i] --spool --config; and set -a from $words[$i] $words[(math $i + 1)]
    end
    spoolfwd rejected list --json $from 2>/dev/null | string replace -rf '^    "name": "(.*)",$' '$1'
end

complete -c spoolfwd -f
complete -c spoolfwd -n __spoolfwd_after -l version -d 'print the version'
complete -c spoolfwd -n __spoolfwd_after -s h -l help -d 'show this help'
`)
	for _, c := range append(commands(), command{name: "help", usage: "show help for a command"}) {
		fmt.Fprintf(&b, "complete -c spoolfwd -n __spoolfwd_after -a %s -d %s\n", c.name, fishQuoted(c.usage))
	}
	for _, c := range commands() {
		fmt.Fprintf(&b, "complete -c spoolfwd -n '__spoolfwd_after help' -a %s -d %s\n", c.name, fishQuoted(c.usage))
		for _, sub := range c.sub {
			fmt.Fprintf(&b, "complete -c spoolfwd -n '__spoolfwd_after %s; or __spoolfwd_after help %[1]s' -a %s -d %s\n", c.name, sub.name, fishQuoted(sub.usage))
		}
	}
	for _, l := range leaves() {
		switch l.completes() {
		case "files":
			fmt.Fprintf(&b, "complete -c spoolfwd -n '__spoolfwd_at %s' -F\n", l.path)
		case "rejected":
			fmt.Fprintf(&b, "complete -c spoolfwd -n '__spoolfwd_at %s' -a '(__spoolfwd_rejected)' -d 'rejected payload'\n", fishCommand(l.path))
		}
	}
	for _, s := range newConfig().table {
		var at []string
		for _, l := range leaves() {
			if s.on&l.use != 0 {
				at = append(at, fishCommand(l.path))
			}
		}
		fmt.Fprintf(&b, "complete -c spoolfwd -n '__spoolfwd_at %s' -l %s", strings.Join(at, " "), s.name)
		if s.short != "" {
			b.WriteString(" -s " + s.short)
		}
		switch kind, words := s.takes(); kind {
		case takesAnything:
			b.WriteString(" -x")
		case takesDir:
			b.WriteString(" -x -a '(__fish_complete_directories)'")
		case takesFile:
			b.WriteString(" -r -F")
		case takesWord:
			b.WriteString(" -x -a '" + strings.Join(words, " ") + "'")
		}
		b.WriteString(" -d " + fishQuoted(s.usage) + "\n")
	}
	return b.String()
}

func fishCommand(path string) string {
	if strings.Contains(path, " ") {
		return `"` + path + `"`
	}
	return path
}

func fishQuoted(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}
