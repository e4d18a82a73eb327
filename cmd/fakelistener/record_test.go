package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func readRecord(t *testing.T, dir, number string) (string, recording) {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(dir, number+".body"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, number+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var rec recording
	if err := json.Unmarshal(text, &rec); err != nil {
		t.Fatalf("%s.json: %v in %s", number, err, text)
	}
	return string(body), rec
}

func TestRequestsAreRecordedAsTheyWereSent(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "for", "it")
	begin := time.Now().Add(-time.Second)
	r := start(t, "--record", dir, "--script", "200,429x3:retry-after=3,reset", "--schema", "--token", "t")
	ok := []string{"Authorization: Bearer t", `Idempotency-Key: "a\"b"`}
	gz := compressed(t, "gzip", `{"z":1}`)
	r.post(" {\"a\" : 1}\n", ok...)
	r.post(gz, append(ok, "Content-Encoding: gzip")...)
	r.post("[1,2]", ok...)
	r.post("\x00\xff")
	r.control("PUT", "/_control/script", "reset")
	// Not through the client, which sends a request with a key again by itself.
	c := r.raw("POST /p?q=%20 HTTP/1.1\r\nHost: " + r.host + "\r\nContent-Length: 2\r\n" + strings.Join(ok, "\r\n") + "\r\n\r\n{}")
	if _, err := io.ReadAll(c); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("instead of a reset: %v", err)
	}

	for _, tt := range []struct {
		number, body string
		status       int
		step, key    string
		items        int
		path         string
	}{
		{"000001", " {\"a\" : 1}\n", 200, "200", `a"b`, 1, "/api/profiling"},
		{"000002", gz, 429, "429:retry-after=3", `a"b`, 1, "/api/profiling"},
		{"000003", "[1,2]", 400, `400:body={"error":"a JSON object is required"}` + "\n", `a"b`, 2, "/api/profiling"},
		{"000004", "\x00\xff", 401, "401:header=WWW-Authenticate=Bearer;body={\"error\":\"the bearer token is missing or wrong\"}\n", "", 1, "/api/profiling"},
		{"000005", "{}", 0, "reset", `a"b`, 1, "/p?q=%20"},
	} {
		body, rec := readRecord(t, dir, tt.number)
		if body != tt.body {
			t.Errorf("%s.body is %q, want %q", tt.number, body, tt.body)
		}
		if rec.Status != tt.status || rec.Step != tt.step || rec.Key != tt.key || rec.Items != tt.items || rec.Path != tt.path || rec.Method != "POST" || rec.Host != r.host {
			t.Errorf("%s.json is %+v", tt.number, rec)
		}
		if rec.Time.Before(begin) || rec.Time.After(time.Now()) {
			t.Errorf("%s.json is from %v", tt.number, rec.Time)
		}
		if tt.key != "" && rec.Headers.Get("Authorization") != "Bearer t" {
			t.Errorf("%s.json has the headers %v", tt.number, rec.Headers)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 10 {
		t.Errorf("the record holds %d files, want 10", len(entries))
	}
}

func TestRecordGoesOnWhereItEnded(t *testing.T) {
	dir := t.TempDir()
	for _, body := range []string{"first", "second"} {
		r := start(t, "--record", dir)
		r.post(body)
		r.stop()
	}
	for number, want := range map[string]string{"000001": "first", "000002": "second"} {
		if body, _ := readRecord(t, dir, number); body != want {
			t.Errorf("%s.body is %q, want %q", number, body, want)
		}
	}
}

func TestRecordThatFailsIsToldAtTheEnd(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	r := startAny(t, "--record", dir)
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	r.expect(200, 200)
	if code := r.stop(); code != exitIO || !strings.HasPrefix(r.stderr.String(), "fakelistener: cannot record: open "+dir) {
		t.Errorf("the command ended with %d: %s", code, r.stderr.String())
	}
}
