package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const completions = "../../contrib/completions/"

func TestCompletionsAreMadeFromTheTables(t *testing.T) {
	for name, text := range map[string]string{"spoolfwd.bash": bashCompletion(), "_spoolfwd": zshCompletion(), "spoolfwd.fish": fishCompletion()} {
		if *update {
			if err := os.WriteFile(completions+name, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if readDoc(t, completions+name) != text {
			t.Errorf("contrib/completions/%s is out of date: go test ./cmd/spoolfwd -run TestCompletions -update", name)
		}
	}
}

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
		{line: "spoolfwd rejected ", has: []string{"list", "show", "retry", "remove"}},
		{line: "spoolfwd breaker tr", want: []string{"trip"}},
		{line: "spoolfwd help breaker re", want: []string{"reset"}},
		{line: "spoolfwd run --metr", want: []string{"--metrics-file"}},
		{line: "spoolfwd run --concurrency 4 --max-it", want: []string{"--max-items"}},
		{line: "spoolfwd breaker trip --fo", want: []string{"--for"}},
		{line: "spoolfwd status --for", want: []string{}},
		{line: "spoolfwd rejected retry --al", want: []string{"--all"}},
		{line: "spoolfwd run --compress z", want: []string{"zstd"}},
		{line: "spoolfwd run --batch-format ", has: []string{"array", "ndjson"}},
		{line: "spoolfwd run --spool dir", want: []string{"directory"}},
		{line: "spoolfwd run --token-file tok", want: []string{"token file"}},
		{line: "spoolfwd run --url tok", want: []string{}},
		{line: "spoolfwd put tok", want: []string{"token file"}},
		{line: "spoolfwd rejected show --spool spool ba", want: []string{"bad one.json"}},
	}
}

// shellDir is a directory with files to complete, a spool with a rejected
// payload, and spoolfwd on the PATH.
func shellDir(t *testing.T) (dir string, env []string) {
	t.Helper()
	dir = t.TempDir()
	for _, d := range []string{"directory", "home", "spool/rejected"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"token file", "spool/rejected/bad one.json"} {
		if err := os.WriteFile(filepath.Join(dir, f), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, append(os.Environ(), "PATH="+buildCommands(t)+":"+os.Getenv("PATH"), "HOME="+filepath.Join(dir, "home"), "TERM=dumb", "LC_ALL=C.UTF-8")
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// needShell returns the path of a shell.
func needShell(t *testing.T, shell string) string {
	t.Helper()
	path, err := exec.LookPath(shell)
	if err != nil {
		missing(t, shell+", from Debian's package of that name")
	}
	return path
}

func TestShellsComplete(t *testing.T) {
	dir, env := shellDir(t)
	t.Run("bash", func(t *testing.T) { bashCompletes(t, dir, env) })
	t.Run("zsh", func(t *testing.T) { zshCompletes(t, dir, env) })
	t.Run("fish", func(t *testing.T) { fishCompletes(t, dir, env) })
}

func bashCompletes(t *testing.T, dir string, env []string) {
	bash := needShell(t, "bash")
	script := `source "$1"; line=$2; read -ra COMP_WORDS <<<"$line"; [[ $line != *' ' ]] || COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _spoolfwd; printf '%s\n' "${COMPREPLY[@]}"`
	for _, c := range completionCases() {
		cmd := exec.Command(bash, "--norc", "-uc", script, "bash", absolute(t, completions+"spoolfwd.bash"), c.line)
		cmd.Dir, cmd.Env = dir, env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%q: %v\n%s", c.line, err, out)
		}
		c.compare(t, strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' }))
	}
	// As a user's bash does it.
	cmd := exec.Command(bash, "--norc", "-c", `source "$1"; complete -p spoolfwd`, "bash", absolute(t, completions+"spoolfwd.bash"))
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "-F _spoolfwd spoolfwd") {
		t.Errorf("bash does not complete spoolfwd: %v\n%s", err, out)
	}
}

func fishCompletes(t *testing.T, dir string, env []string) {
	fish := needShell(t, "fish")
	for _, c := range completionCases() {
		cmd := exec.Command(fish, "--no-config", "-c", `source $argv[1]; complete -C $argv[2]`, absolute(t, completions+"spoolfwd.fish"), c.line)
		cmd.Dir, cmd.Env = dir, env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%q: %v\n%s", c.line, err, out)
		}
		var offered []string
		for line := range strings.Lines(string(out)) {
			word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			offered = append(offered, strings.TrimSuffix(strings.ReplaceAll(word, `\ `, " "), "/"))
		}
		c.compare(t, offered)
	}
}

// zshDriver types each line of its standard input and a tab into a zsh of its
// own and prints what that would offer, then a line with a dot. What is offered
// passes through compadd, which is listened to. Each step waits for the one
// before: zsh says when it is ready for keys, and when it has completed.
const zshDriver = `
zmodload zsh/zpty
mkfifo answers
exec {answers}<>answers
zpty z zsh -f -i
zpty -w z "PS1= RPS1= LISTMAX=0; unsetopt zle_bracketed_paste; source ./setup $1"
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

func zshCompletes(t *testing.T, dir string, env []string) {
	zsh := needShell(t, "zsh")
	var lines strings.Builder
	for _, c := range completionCases() {
		lines.WriteString(c.line + "\n")
	}
	if err := os.WriteFile(filepath.Join(dir, "setup"), []byte(zshSetup), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), zsh, "-f", "-c", zshDriver, "zsh", absolute(t, completions))
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
