package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// completionCase is a command line and what a shell offers at its end.
type completionCase struct {
	line string
	want []string // all that is offered; nil: see has
	has  []string
}

func completionCases() []completionCase {
	return []completionCase{
		{line: "spoolfwd fl", want: []string{"flush"}},
		{line: "spoolfwd ", has: []string{"run", "flush", "status", "put", "rejected", "breaker", "check", "help"}},
		{line: "spoolfwd breaker tr", want: []string{"trip"}},
		{line: "spoolfwd help breaker re", want: []string{"reset"}},
		{line: "spoolfwd run --metr", want: []string{"--metrics-file"}},
		{line: "spoolfwd run --concurrency 4 --max-it", want: []string{"--max-items"}},
		{line: "spoolfwd status --for", want: []string{}},
		{line: "spoolfwd run --compress z", want: []string{"zstd"}},
	}
}

// completesIn installs a shell's completion in a directory with spoolfwd on the PATH.
func completesIn(t *testing.T, shell, file string) (path, dir string, env []string) {
	t.Helper()
	path, err := exec.LookPath(shell)
	if err != nil {
		missing(t, shell+", from Debian's package of that name")
	}
	dir = t.TempDir()
	script := newWorld(t).run("completion", shell).wantCode(t, exit.OK).stdout
	if err := os.WriteFile(filepath.Join(dir, file), []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	return path, dir, append(os.Environ(), "PATH="+buildCommands(t)+":"+os.Getenv("PATH"), "HOME="+dir, "TERM=dumb", "LC_ALL=C.UTF-8")
}

func TestBashCompletes(t *testing.T) {
	bash, dir, env := completesIn(t, "bash", "completion")
	const script = `source ./completion; line=$1; read -ra COMP_WORDS <<<"$line"; [[ $line != *' ' ]] || COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _spoolfwd; printf '%s\n' "${COMPREPLY[@]}"; complete -p spoolfwd >&2`
	for _, c := range completionCases() {
		cmd := exec.Command(bash, "--norc", "-uc", script, "bash", c.line)
		var stderr strings.Builder
		cmd.Dir, cmd.Env, cmd.Stderr = dir, env, &stderr
		out, err := cmd.Output()
		if want := "-F _spoolfwd spoolfwd\n"; err != nil || !strings.HasSuffix(stderr.String(), want) {
			t.Errorf("%q: %v, bash says %q, want %q", c.line, err, stderr.String(), want)
		}
		c.compare(t, strings.Fields(string(out)))
	}
}

func TestFishCompletes(t *testing.T) {
	fish, dir, env := completesIn(t, "fish", "completion")
	for _, c := range completionCases() {
		cmd := exec.Command(fish, "--no-config", "-c", `source ./completion; complete -C $argv[1]`, c.line)
		cmd.Dir, cmd.Env = dir, env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%q: %v\n%s", c.line, err, out)
		}
		var offered []string
		for line := range strings.Lines(string(out)) {
			word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			offered = append(offered, word)
		}
		c.compare(t, offered)
	}
}

// zshDriver types each line of its standard input and a tab into a zsh of its own and prints what
// that would offer, then a line with a dot. Offers pass through compadd, which is listened to. Each
// step waits for the one before: zsh says when it is ready for keys, and when it has completed.
const zshDriver = `
zmodload zsh/zpty
mkfifo answers
exec {answers}<>answers
zpty z zsh -f -i
zpty -w z "PS1= RPS1= LISTMAX=1000; unsetopt zle_bracketed_paste; source ./setup $1"
read -r -u $answers
while IFS= read -r line; do
	zpty -w -n z "$line"$'\t'
	read -r -u $answers
done
cat offered
`

const zshSetup = `
fpath=($1 $fpath)
autoload -U compinit
compinit -u -D
compadd() {
	if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
		builtin compadd "$@"
		return
	fi
	local -a hits
	builtin compadd -O hits "$@"
	print -rl -- "${(@Q)hits}" >>offered
	builtin compadd "$@"
}
answer() {
	zle complete-word
	print -r . >>offered
	BUFFER=
	print -r done >answers
}
ready() { print -r ready >answers }
zle -N answer
zle -N zle-line-init ready
bindkey '^I' answer
`

func TestZshCompletes(t *testing.T) {
	zsh, dir, env := completesIn(t, "zsh", "_spoolfwd")
	var lines strings.Builder
	for _, c := range completionCases() {
		lines.WriteString(c.line + "\n")
	}
	if err := os.WriteFile(filepath.Join(dir, "setup"), []byte(zshSetup), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), zsh, "-f", "-c", zshDriver, "zsh", dir)
	cmd.Dir, cmd.Env, cmd.Stdin = dir, env, strings.NewReader(lines.String())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	offered, line := make([][]string, len(completionCases())+1), 0
	for answer := range strings.Lines(string(out)) {
		switch answer = strings.TrimSuffix(answer, "\n"); {
		case answer == "." && line < len(completionCases()):
			line++
		case answer != "" && !slices.Contains(offered[line], answer):
			offered[line] = append(offered[line], answer) // zsh may try in more than one way
		}
	}
	if line != len(completionCases()) {
		t.Fatalf("%d answers to %d lines:\n%s", line, len(completionCases()), out)
	}
	for i, c := range completionCases() {
		c.compare(t, offered[i])
	}
}

func (c completionCase) compare(t *testing.T, offered []string) {
	t.Helper()
	if c.want != nil && !slices.Equal(offered, c.want) {
		t.Errorf("%q offers %q, want %q", c.line, offered, c.want)
	}
	for _, word := range c.has {
		if !slices.Contains(offered, word) {
			t.Errorf("%q offers %q, and not %q", c.line, offered, word)
		}
	}
}

func TestThereIsNoCompletionForOtherShells(t *testing.T) {
	for _, args := range [][]string{{"completion"}, {"completion", "tcsh"}} {
		r := newWorld(t).run(args...).wantCode(t, exit.Usage)
		wantText(t, "standard error", r.stderr, "bash, zsh or fish")
	}
}
