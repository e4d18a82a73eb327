package main

import (
	"encoding/pem"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func writePEM(t *testing.T, path string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Secrets go to the listener and nowhere else, with every command and after every failure.
func TestNoSecretIsEverPrintedOrSaved(t *testing.T) {
	secrets := []string{"tok3n-secret", "h3ader-secret", "filed-secret", "us3r-secret", "pa55-secret", "qu3ry-secret"}
	for _, status := range []int{http.StatusUnauthorized, http.StatusBadRequest, http.StatusServiceUnavailable, http.StatusFound} {
		w := newWorld(t)
		w.header.Set("Location", "/login")
		w.put("a.json", `{}`)
		w.put("b.json", `[1,2]`)
		private := t.TempDir()
		token, headers := filepath.Join(private, "token"), filepath.Join(private, "headers")
		for path, text := range map[string]string{token: secrets[0] + "\n", headers: "X-Filed: " + secrets[2] + "\n"} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		w.answer(status)
		url := strings.Replace(w.listener.URL, "//", "//"+secrets[3]+":"+secrets[4]+"@", 1) + "/x?key=" + secrets[5]
		var said strings.Builder
		flags := []string{"--url", url, "--header", "X-Key: " + secrets[1], "--header", "@" + headers, "-v"}
		for _, format := range []string{"text", "json"} {
			for _, command := range []string{"run", "run --dry-run", "run --json", "flush --force", "check", "check --json"} {
				args := append(flags[:len(flags):len(flags)], "--log-format", format)
				words := strings.Split(command, " -")
				for _, flag := range words[1:] {
					args = append(args, "-"+flag)
				}
				r := w.do(words[0], args...)
				said.WriteString(r.stdout + r.stderr)
			}
		}
		r := w.do("run", "--token-file", token, "--failure-threshold", "1", "-v")
		said.WriteString(r.stdout + r.stderr)
		for _, command := range []string{"status", "breaker show", "rejected list", "rejected show *"} {
			words := strings.Split(command, " *")
			var operands []string
			if len(words) > 1 {
				operands = []string{"*"}
			}
			r := w.do(words[0], append(operands, "--json")...)
			said.WriteString(r.stdout + r.stderr)
		}
		r = w.do("status", "--url", url)
		said.WriteString(r.stdout + r.stderr)
		r = w.do("run", "--url", url+"\x00%zz")
		said.WriteString(r.stdout + r.stderr)
		r = w.do("run", "--url", strings.Replace(url, w.listener.Listener.Addr().String(), "host:12ab", 1))
		said.WriteString(r.stdout + r.stderr)

		wantNoText(t, "output", said.String(), secrets...)
		err := filepath.WalkDir(filepath.Dir(w.spool), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			wantNoText(t, path, string(text), secrets...)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		w.mu.Lock()
		if len(w.heads) == 0 || w.heads[0].Get("X-Key") != secrets[1] || w.heads[0].Get("X-Filed") != secrets[2] {
			t.Errorf("the listener did not get the headers: %v", w.heads)
		}
		w.mu.Unlock()
	}
}
