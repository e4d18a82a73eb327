package transmit

import (
	"context"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func TestACommandIsSplitAtWhiteSpaceOutsideQuotes(t *testing.T) {
	for line, want := range map[string][]string{
		"":                           nil,
		"a":                          {"a"},
		"  a \t b\nc ":               {"a", "b", "c"},
		`a 'b c' "d  e"`:             {"a", "b c", "d  e"},
		`a --x='b c'd`:               {"a", "--x=b cd"},
		`a "" ''`:                    {"a", "", ""},
		`a "it's" 'say "x"'`:         {"a", "it's", `say "x"`},
		`a \n $HOME *.x | b > c # d`: {"a", `\n`, "$HOME", "*.x", "|", "b", ">", "c", "#", "d"},
	} {
		if got, err := splitCommand(line); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q is split into %q, %v, want %q", line, got, err, want)
		}
	}
	for _, line := range []string{`a "b`, `a 'b"`, " ", `"" a`} {
		if got, err := splitCommand(line); err == nil {
			t.Errorf("%q is split into %q, want an error", line, got)
		}
	}
}

// withCommand returns a transmitter to a listener that takes one token. The script prints its
// tokens, one for each time that it is asked.
func withCommand(t *testing.T, takes string, tokens ...string) (tr *Transmitter, requests *atomic.Int64) {
	t.Helper()
	requests = new(atomic.Int64)
	s, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		io.Copy(io.Discard, r.Body)
		if got := r.Header.Get("Authorization"); got != "Bearer "+takes {
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, got)
		}
	})
	list := writeFile(t, "tokens", strings.Join(tokens, "\n")+"\n")
	script := writeFile(t, "give", `head -n 1 "$1"; sed -i.old 1d "$1"`)
	return newTransmitter(t, Config{URL: s.URL, TokenCommand: "sh " + script + " " + list}), requests
}

func TestRequestsThatAreRefusedTogetherAskForOneTokenMore(t *testing.T) {
	t.Parallel()
	tr, requests := withCommand(t, "second-token", "first-token", "second-token", "third-token")
	mustHold(t, send(tr, "{}"), Delivered, 200, "") // 401, 200
	tr.command.token, tr.command.asked = "old-token", 1
	if err := os.WriteFile(tr.command.words[2], []byte("second-token\nthird-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var together sync.WaitGroup
	for range 8 {
		together.Go(func() { mustHold(t, send(tr, "{}"), Delivered, 200, "") })
	}
	together.Wait()
	if n := requests.Load(); n > 2+2*8 {
		t.Errorf("%d requests were made, want at most two for each item", n)
	}
	if left, _ := os.ReadFile(tr.command.words[2]); string(left) != "third-token\n" {
		t.Errorf("the tokens that were not asked for are %q", left)
	}
}

func TestATokenOfACommandIsASecret(t *testing.T) {
	t.Parallel()
	tr, requests := withCommand(t, "another", "first-token", "second-token", "third-token")
	v := send(tr, "{}")
	mustHold(t, v, Kept, 401, "answered 401")
	if got := string(v.Excerpt); got != "Bearer "+redacted || requests.Load() != 2 {
		t.Errorf("after %d requests the answer is shown as %q", requests.Load(), got)
	}
}

func TestATokenCommandEndsInTimeWithAllThatItHasStarted(t *testing.T) {
	t.Parallel()
	held := t.TempDir() + "/held"
	if err := syscall.Mkfifo(held, 0o600); err != nil {
		t.Fatal(err)
	}
	script := writeFile(t, "hang", `sleep 1000 >"$1" & echo waiting >&2; wait`)
	tr := newTransmitter(t, Config{TokenCommand: "sh " + script + " " + held})
	tr.command.patience = 200 * time.Millisecond
	open := make(chan error, 1)
	go func() { // until all that could write to the pipe has ended
		_, err := os.ReadFile(held)
		open <- err
	}()
	v := send(tr, "{}")
	mustHold(t, v, Aborted, 0, "the token command sh did not end within 200ms: waiting")
	mustHaveCause(t, v.Err, NoToken)
	if err := <-open; err != nil {
		t.Error(err)
	}
	mustHold(t, send(tr, "{}"), Aborted, 0, "did not end within") // and is not asked again
}

// An agent that a command starts may stay, and must not cost the token.
func TestATokenCommandMayLeaveAHelperBehind(t *testing.T) {
	t.Parallel()
	held := t.TempDir() + "/held"
	if err := syscall.Mkfifo(held, 0o600); err != nil {
		t.Fatal(err)
	}
	// The helper ends when the pipe does.
	script := writeFile(t, "leave", `cat "$1" >&2 & echo a-token`)
	tr := newTransmitter(t, Config{TokenCommand: "sh " + script + " " + held})
	token, err := tr.tokenAfter(context.Background(), "")
	if token != "a-token" || err != nil {
		t.Errorf("the token is %q, %v", token, err)
	}
	if f, err := os.OpenFile(held, os.O_WRONLY, 0); err == nil {
		f.Close()
	}
}

func TestACancelledRunDoesNotBlameTheTokenCommand(t *testing.T) {
	t.Parallel()
	tr := newTransmitter(t, Config{TokenCommand: "sleep 1000"})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	mustHold(t, tr.Send(ctx, Request{Body: []byte("{}")}), Aborted, 0, "the request was cancelled")
}

func TestASessionEndsWithACommandsToken(t *testing.T) {
	t.Parallel()
	ca, config := tlsFor(t, true)
	l := listenResuming(t, config)
	store := new(sessionsInMemory)
	for _, token := range []string{"aaaaaaaaaaaa", "aaaaaaaaaaaa", "bbbbbbbbbbbb"} {
		cfg := Config{URL: "https://" + l.address, CAFile: ca, TokenCommand: "echo " + token}
		mustHold(t, runOnce(t, store, cfg), Delivered, 200, "")
	}
	l.mustSee(t, false, true, false)
}
