package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// completionCase is a command line and what a shell offers at its end.
type completionCase struct {
	line    string
	want    []string // all that is offered, as whole words; nil: see has
	has     []string
	becomes string // the line after the key; "": not looked at
}

func completionCases() []completionCase {
	return []completionCase{
		{line: "spoolfwd fl", want: []string{"flush"}, becomes: "spoolfwd flush "},
		{line: "spoolfwd ", has: []string{"run", "flush", "status", "put", "rejected", "breaker", "check", "help"}},
		{line: "spoolfwd breaker tr", want: []string{"trip"}},
		{line: "spoolfwd help breaker re", want: []string{"reset"}},
		{line: "spoolfwd run --metr", want: []string{"--metrics-file"}},
		{line: "spoolfwd run --concurrency 4 --max-it", want: []string{"--max-items"}},
		{line: "spoolfwd status --for", want: []string{}},
		{line: "spoolfwd status -", has: []string{"-v", "-h", "--verbose", "--help"}},
		{line: "spoolfwd run --compress z", want: []string{"zstd"}},
		{line: "spoolfwd run --batch-format ", want: []string{"array", "cloudevents", "ndjson"}},
		{line: "spoolfwd run --compress=g", want: []string{"--compress=gzip"}, becomes: "spoolfwd run --compress=gzip "},
		{line: "spoolfwd run --batch-format=", want: []string{"--batch-format=array", "--batch-format=cloudevents", "--batch-format=ndjson"}},
		{line: "spoolfwd completion ", want: []string{"bash", "fish", "zsh"}},
		{line: "spoolfwd completion zsh ba", want: []string{}},
		{line: "spoolfwd rejected show ", want: []string{"12:30.json", "a b.json", "buffer_1.json"}},
		{line: "spoolfwd rejected retry buf", want: []string{"buffer_1.json"}, becomes: "spoolfwd rejected retry buffer_1.json "},
		{line: "spoolfwd rejected remove --status 400 a", want: []string{"a b.json"}, becomes: `spoolfwd rejected remove --status 400 a\ b.json `},
		{line: "spoolfwd rejected remove --status 413 b", want: []string{}},
		{line: `spoolfwd rejected remove a\ b`, want: []string{"a b.json"}, becomes: `spoolfwd rejected remove a\ b.json `},
		{line: "spoolfwd rejected show 12:", want: []string{"12:30.json"}, becomes: "spoolfwd rejected show 12:30.json "},
		{line: "spoolfwd rejected show --spool elsewhere b", want: []string{}},
		{line: "spoolfwd rejected show -- --", want: []string{}},
	}
}

// completesIn installs a shell's completion in a directory with spoolfwd on the PATH and a spool
// that holds rejected payloads.
func completesIn(t *testing.T, shell, file string) (path, dir string, env []string) {
	t.Helper()
	path = need.Program(t, shell)
	dir = t.TempDir()
	w := newWorld(t)
	script := w.run("completion", shell).wantCode(t, exit.OK).stdout
	if err := os.WriteFile(filepath.Join(dir, file), []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	w.status = http.StatusBadRequest
	for _, name := range []string{"12:30.json", "a b.json", "buffer_1.json"} {
		w.put(name, "{}")
	}
	w.do("run").wantCode(t, exit.Rejected)
	return path, dir, append(os.Environ(), "PATH="+buildCommands(t)+":"+os.Getenv("PATH"), "SPOOLFWD_SPOOL="+w.spool,
		"HOME="+dir, "TERM=dumb", "LC_ALL=C.UTF-8", "INPUTRC=/dev/null")
}

// bashSetup makes an interactive bash write down what it offers for each line, as whole words, then
// a dot and what became of the line. Control-T ends a line.
const bashSetup = `
source ./completion
set -u
complete -p spoolfwd
listened() {
	_spoolfwd "$@"
	local typed=${COMP_LINE:0:COMP_POINT} word
	typed=${typed##*[^\\] }
	for word in "${COMPREPLY[@]}"; do printf '%s\n' "${typed%"$2"}${word//\\/}" >>offered; done
}
complete -o default -F listened spoolfwd
ended() {
	printf '.%s\n' "$READLINE_LINE" >>offered
	READLINE_LINE=
}
bind -x '"\C-t": ended'
`

func TestBashCompletes(t *testing.T) {
	bash, dir, env := completesIn(t, "bash", "completion")
	if err := os.WriteFile(filepath.Join(dir, "setup"), []byte(bashSetup), 0o600); err != nil {
		t.Fatal(err)
	}
	var keys strings.Builder
	for _, c := range completionCases() {
		keys.WriteString(c.line + "\t\x14")
	}
	cmd := exec.CommandContext(t.Context(), bash, "--noprofile", "--rcfile", "./setup", "-i")
	cmd.Dir, cmd.Env, cmd.Stdin = dir, env, strings.NewReader(keys.String())
	out, err := cmd.CombinedOutput()
	if want := "complete -o default -F _spoolfwd spoolfwd"; err != nil || !strings.Contains(string(out), want) {
		t.Errorf("%v, and bash does not say %q:\n%s", err, want, out)
	}
	compareOffers(t, dir)
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

// zshDriver types each line of its standard input and a tab into a zsh of its own. Offers pass
// through compadd, which is listened to. Each step waits for the one before: zsh says when it is
// ready for keys, and when it has completed.
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
`

// zshSetup makes a zsh write down what bashSetup does.
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
	(( $#hits )) && print -rl -- "${(@Q)hits}" >>offered
	builtin compadd "$@"
}
answer() {
	zle complete-word
	print -r -- ".$BUFFER" >>offered
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
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	compareOffers(t, dir)
}

// compareOffers reads what a shell wrote down.
func compareOffers(t *testing.T, dir string) {
	t.Helper()
	written, err := os.ReadFile(filepath.Join(dir, "offered"))
	if err != nil {
		t.Fatal(err)
	}
	cases := completionCases()
	var offered []string
	for text := range strings.Lines(string(written)) {
		text = strings.TrimSuffix(text, "\n")
		line, isEnd := strings.CutPrefix(text, ".")
		switch {
		case !isEnd:
			offered = append(offered, text)
		case len(cases) == 0:
			t.Fatalf("there are more answers than lines:\n%s", written)
		default:
			c := cases[0]
			c.compare(t, offered)
			if c.becomes != "" && line != c.becomes {
				t.Errorf("%q becomes %q, want %q", c.line, line, c.becomes)
			}
			cases, offered = cases[1:], nil
		}
	}
	if len(cases) > 0 {
		t.Fatalf("%d lines are without an answer:\n%s", len(cases), written)
	}
}

func (c completionCase) compare(t *testing.T, offered []string) {
	t.Helper()
	slices.Sort(offered) // shells have orders of their own, and may try in more than one way
	offered = slices.Compact(offered)
	if c.want != nil && !slices.Equal(offered, c.want) {
		t.Errorf("%q offers %q, want %q", c.line, offered, c.want)
	}
	for _, word := range c.has {
		if !slices.Contains(offered, word) {
			t.Errorf("%q offers %q, and not %q", c.line, offered, word)
		}
	}
}

func TestACompletionNeedsTheNameOfOneShell(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"completion"}, "the shell is missing: bash, zsh or fish"},
		{[]string{"completion", "tcsh"}, "unknown shell tcsh: bash, zsh or fish"},
		{[]string{"completion", "bash", "zsh"}, `unexpected argument "zsh"`},
		{[]string{"completion", "--", "bash", "zsh"}, `unexpected argument "zsh"`},
	} {
		r := newWorld(t).run(c.args...).wantCode(t, exit.Usage)
		wantText(t, "standard error", r.stderr, c.says, "see 'spoolfwd completion --help'")
		if r.stdout != "" {
			t.Errorf("%q prints %q", c.args, r.stdout)
		}
	}
}
