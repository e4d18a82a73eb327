package main

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/doctor"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/settings"
)

func TestCheckFindsWhatIsWrongAndHowToMendIt(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(*world) []string
		code    exit.Code
		says    []string
	}{
		{"listener down", func(w *world) []string { w.listener.Close(); return nil }, exit.Left,
			[]string{"fail connect: http://127.0.0.1:", "connection refused", "start the listener, or check --url"}},
		{"proxy down", func(w *world) []string {
			w.listener.Close()
			w.env.Environ = []string{"https_proxy=" + strings.TrimPrefix(w.listener.URL, "http://")}
			return []string{"--url", "https://apm.example.com/"}
		}, exit.Left, []string{"ok   proxy: http://127.0.0.1:", "fail connect: https://apm.example.com/: connecting to the proxy http://127.0.0.1:", "check the proxy's URL in the environment"}},
		{"not a proxy", func(w *world) []string {
			w.env.Environ = []string{"https_proxy=ftp://proxy"}
			return []string{"--url", "https://apm.example.com/"}
		}, exit.Config, []string{"fail listener: ", "https_proxy is not a proxy's URL"}},
		{"proxy without a port", func(w *world) []string {
			w.env.Environ = []string{"http_proxy=http://proxy.invalid"}
			return []string{"--url", "http://listener.example/"}
		}, exit.Left, []string{"ok   proxy: http://proxy.invalid:80", "fail resolve: http://listener.example/: ", "check the proxy's URL"}},
		{"state directory is a file", func(w *world) []string {
			if err := os.WriteFile(w.state, nil, 0o600); err != nil {
				w.t.Fatal(err)
			}
			return nil
		}, exit.Config, []string{"fail state:", "set --state-dir to one"}},
		{"broken state", func(w *world) []string {
			w.do("breaker trip")
			if err := os.WriteFile(filepath.Join(w.state, "central_listener.state"), []byte("{"), 0o600); err != nil {
				w.t.Fatal(err)
			}
			return nil
		}, exit.OK, []string{"warn state:"}},
		{"no token", func(w *world) []string { return []string{"--token-file", w.spool + "/none"} }, exit.Config,
			[]string{"fail listener:", "/none"}},
		{"token for everyone", func(w *world) []string {
			path := filepath.Join(w.t.TempDir(), "token")
			if err := os.WriteFile(path, []byte("s3cret"), 0o644); err != nil {
				w.t.Fatal(err)
			}
			return []string{"--token-file", path}
		}, exit.OK, []string{"warn secrets: every user of this machine can read", "chmod go-r"}},
		{"misspelt variable", func(w *world) []string { w.env.Environ = []string{"SPOOLFWD_ULR=x"}; return nil }, exit.OK,
			[]string{"warn environment: SPOOLFWD_ULR is not a setting", "did you mean SPOOLFWD_URL?"}},
		{"rejected payloads", func(w *world) []string { w.put("x.json", "x"); w.do("run"); return nil }, exit.OK,
			[]string{"warn rejected: 1 payload"}},
		{"junk", func(w *world) []string {
			if err := os.Mkdir(filepath.Join(w.spool, "dir.json"), 0o700); err != nil {
				w.t.Fatal(err)
			}
			return nil
		}, exit.OK, []string{"warn spool:", "dir.json"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			args := c.prepare(w)
			r := w.do("check", args...).wantCode(t, c.code)
			wantText(t, "check", r.stdout, c.says...)
			wantNoText(t, "check", r.stdout, "s3cret")
		})
	}
}

func TestCheckJudgesCertificates(t *testing.T) {
	w := newWorld(t)
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	r := w.do("check", "--url", server.URL).wantCode(t, exit.Left)
	wantText(t, "check", r.stdout, "fail tls:", "name the signer's certificate with --ca-file")

	ca := filepath.Join(t.TempDir(), "ca.pem")
	writePEM(t, ca, server.Certificate().Raw)
	r = w.do("check", "--url", server.URL, "--ca-file", ca).wantCode(t, exit.OK)
	wantText(t, "check", r.stdout, "ok   tls: TLS 1.3", "certificate valid until")
	wantNoText(t, "check", r.stdout, "renew")

	w.pass(server.Certificate().NotAfter.Sub(w.time()) - 3*24*time.Hour)
	cert, key := pairFiles(t, server.TLS.Certificates[0])
	r = w.do("check", "--url", server.URL, "--ca-file", ca, "--cert-file", cert, "--key-file", key).wantCode(t, exit.OK)
	wantText(t, "check", r.stdout, "warn tls: the listener's certificate ends on ", "in 3d00h", "renew it",
		"warn tls: the client certificate ends on ")
	w.pass(10 * 24 * time.Hour)
	w.do("check", "--url", server.URL, "--ca-file", ca).wantCode(t, exit.Left)
}

func TestCheckAsJSON(t *testing.T) {
	w := newWorld(t)
	w.listener.Close()
	r := w.do("check", "--json", "--header", "X-Key: s3cret").wantCode(t, exit.Left)
	var got struct {
		Settings []settings.Effective
		Findings []doctor.Finding
		ExitCode exit.Code `json:"exit_code"`
	}
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
		t.Fatalf("%v:\n%s", err, r.stdout)
	}
	if len(got.Settings) < 20 || len(got.Findings) < 4 || got.ExitCode != exit.Left {
		t.Errorf("got %+v", got)
	}
	found := false
	for _, s := range got.Settings {
		found = found || s.Name == "header" && fmt.Sprint(s.Value) == "[X-Key: (hidden)]"
	}
	if !found {
		t.Errorf("the header is not shown with its value hidden:\n%s", r.stdout)
	}
}
