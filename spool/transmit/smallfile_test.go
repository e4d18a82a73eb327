package transmit

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A path that leads to something endless or silent must neither fill the memory nor hold up a run.
func TestAFileOptionTakesNothingEndless(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	large := writeFile(t, "large", "")
	if err := os.Truncate(large, 1<<40); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/dev/zero":                     "neither a regular file nor a pipe",
		"/dev/null":                     "neither a regular file nor a pipe",
		dir:                             "is a directory",
		large:                           "is larger than",
		fifo:                            fifo + ": the pipe is empty, or nobody writes to it",
		filepath.Join(dir, "not-there"): "no such file",
	} {
		for name, cfg := range map[string]Config{
			"the token file": {TokenFile: path},
			"a header file":  {Headers: []string{"@" + path}},
			"the CA file":    {CAFile: path},
			"a certificate":  {CertFile: path},
			"a private key":  {CertFile: writeFile(t, "cert", "cert"), KeyFile: path},
		} {
			cfg.URL, cfg.Getenv = "https://listener.test/", env()
			_, err := New(cfg)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s is %s: %v, want %q in it", name, path, err, want)
			}
		}
	}
}

// Shells offer secrets through pipes: --token-file <(pass show listener).
func TestASecretMayComeOutOfAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	path := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if _, err := readSmall(path, 10, time.Millisecond); err == nil || !strings.Contains(err.Error(), "did not end in time") {
		t.Errorf("a silent pipe: %v", err)
	}
	fmt.Fprintln(w, "tok3n")
	w.Close()
	if token, err := readToken(path); err != nil || token != "tok3n" {
		t.Errorf("a pipe that ends: %q, %v", token, err)
	}
}
