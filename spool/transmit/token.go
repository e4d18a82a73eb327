package transmit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"
)

const (
	// commandPatience is how long a token command may take. It may ask a server.
	commandPatience = 10 * time.Second
	// maxAsked is how often a token command is asked.
	maxAsked = 2
)

// tokenCommand is a program that prints the bearer token, for tokens that live for minutes. The
// first request asks it, so that a run without work asks nobody. A 401 asks it once more, because a
// token can end in the middle of a run.
type tokenCommand struct {
	words    []string // none: there is no command
	patience time.Duration

	mu    sync.Mutex // guards the fields below; held while the command runs, because no request can do without it
	asked int
	token string
	err   error
}

// sendWithToken makes a request with the command's token. What was refused with an old one goes out
// again, under the same key.
func (t *Transmitter) sendWithToken(ctx context.Context, r Request, body []byte) Verdict {
	v := Verdict{Status: unauthorized} // as it would be without a token
	for v.Status == unauthorized {
		token, err := t.tokenAfter(ctx, r.token)
		switch {
		case over(ctx) != nil:
			return t.failed(ctx, err)
		case err != nil:
			return Verdict{Action: Aborted, Err: err}
		case token == r.token: // there is no other
			return v
		}
		r.token = token
		v = t.sendInTime(ctx, r, body)
	}
	return v
}

// unauthorized says that the token is not good any more, or never was (RFC 9110 section 15.5.2).
const unauthorized = 401

// CheckToken asks the token command now, if there is one, instead of with the first request.
func (t *Transmitter) CheckToken(ctx context.Context) error {
	_, err := t.tokenAfter(ctx, "")
	return err
}

// tokenAfter returns a token other than the one that was refused, if the command may still be
// asked; "" refuses none. Without a command the token is "".
func (t *Transmitter) tokenAfter(ctx context.Context, refused string) (string, error) {
	c := &t.command
	if len(c.words) == 0 {
		return "", nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil && c.token == refused && c.asked < maxAsked {
		c.asked++
		c.token, c.err = t.askCommand(ctx)
	}
	return c.token, c.err
}

// present returns the token that was given last.
func (c *tokenCommand) present() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.token
}

// askCommand runs the token command. It ends with everything that it has started, so that nothing
// of it outlives its time.
func (t *Transmitter) askCommand(ctx context.Context) (string, error) {
	limited, cancel := context.WithTimeout(ctx, t.command.patience)
	defer cancel()
	words := t.command.words
	cmd := exec.CommandContext(limited, words[0], words[1:]...)
	stdout, stderr := beginning{limit: maxSecretFile}, beginning{limit: maxExcerpt}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) { // it has ended well, and left a helper that keeps its output open
		err = nil
	}
	if missing := new(exec.Error); errors.As(err, &missing) {
		err = missing.Err
	}
	printed := strings.TrimSpace(stdout.text.String())
	t.secrets.add(printed)
	token, wrong := checkToken(printed)
	var what string
	switch {
	case over(ctx) != nil:
		return "", over(ctx)
	case limited.Err() != nil:
		what = fmt.Sprintf("did not end within %v", t.command.patience)
	case cmd.ProcessState == nil:
		what = "cannot be started: " + root(err)
	case err != nil:
		what = "ended with " + err.Error()
	case stdout.full:
		what = fmt.Sprintf("printed more than %d KiB", maxSecretFile>>10)
	case wrong != nil:
		what, err = "printed something that "+wrong.Error(), wrong
	default:
		return token, nil
	}
	if said := strings.Join(strings.Fields(stderr.text.String()), " "); said != "" {
		what += ": " + said
	}
	return "", t.newError(NoToken, err, "the token command "+words[0]+" "+what)
}

// beginning keeps what is written up to a limit, and lets the writer go on.
type beginning struct {
	limit int
	text  bytes.Buffer
	full  bool // something was left out
}

func (b *beginning) Write(p []byte) (int, error) {
	room := b.limit - b.text.Len()
	b.full = b.full || len(p) > room
	b.text.Write(p[:min(len(p), room)])
	return len(p), nil
}

// splitCommand splits a command at white space. Between single or double quotes, white space is a
// part of the word. No other character has a meaning: who needs more writes a script.
func splitCommand(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	var quote rune // that is open
	inWord := false
	for _, r := range line + " " {
		switch {
		case r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, inWord = r, true
		case quote != 0 || !unicode.IsSpace(r):
			word.WriteRune(r)
			inWord = true
		case inWord:
			words = append(words, word.String())
			word.Reset()
			inWord = false
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quote %c is not closed", quote)
	}
	if line != "" && (len(words) == 0 || words[0] == "") {
		return nil, errors.New("the program is missing")
	}
	return words, nil
}
