package main

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// A file that only root may read is opened while the process is root.
func TestRootsFilesAreReadBeforeRootIsGivenUp(t *testing.T) {
	w, _ := newServiceWorld(t)
	secrets := t.TempDir() // nobody cannot enter it
	file := func(name, content string) string {
		path := filepath.Join(secrets, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	w.run("put", "--spool", w.spool, file("one", `{"n":1}`), file("two", `{"n":2}`)).wantCode(t, exit.OK)
	config := file("c.toml", `header = ["@`+file("header", "X-Key: k3y")+"\"]\n")
	w.do("run", "--config", config, "--token-file", file("token", "t0ken")).wantCode(t, exit.OK).wantSilence(t)
	if got := w.received(); !slices.Equal(got, []string{`{"n":1}`, `{"n":2}`}) {
		t.Errorf("the listener has received %q", got)
	}
	if head := w.heads[0]; head.Get("Authorization") != "Bearer t0ken" || head.Get("X-Key") != "k3y" {
		t.Errorf("the request's head is %v", head)
	}
}

func TestRootsCertificatesAreReadBeforeRootIsGivenUp(t *testing.T) {
	ours, soon := newAuthority(t), time.Now().Add(time.Hour)
	client := ours.issue(t, "client", soon)
	guarded := &tls.Config{
		Certificates: []tls.Certificate{ours.issue(t, "127.0.0.1", soon)},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: ours.pool(),
	}
	for _, authorities := range []string{"--ca-file", "SSL_CERT_FILE", "SSL_CERT_DIR"} {
		t.Run(authorities, func(t *testing.T) {
			w, _ := newServiceWorld(t)
			w.putAs(nobody, "a.json", `{"n":1}`)
			url, delivered := tlsListener(t, guarded)
			cert, key := pairFiles(t, client)
			ca := ours.file(t)
			for _, file := range []string{cert, key, ca} {
				if err := os.Chmod(filepath.Dir(file), 0o700); err != nil { // nobody cannot enter it
					t.Fatal(err)
				}
			}
			flags := []string{"--cert-file", cert, "--key-file", key}
			switch authorities {
			case "--ca-file":
				flags = append(flags, "--ca-file", ca)
			case "SSL_CERT_FILE":
				w.env.Environ = append(w.env.Environ, "SSL_CERT_FILE="+ca)
			case "SSL_CERT_DIR":
				w.env.Environ = append(w.env.Environ, "SSL_CERT_DIR="+filepath.Dir(ca), "SSL_CERT_FILE=/dev/null")
			}
			w.do("run", append(flags, "--url", url)...).wantCode(t, exit.OK).wantSilence(t)
			if delivered.Load() != 1 {
				t.Error("the payload was not delivered")
			}
		})
	}
}
