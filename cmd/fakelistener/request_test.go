package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func TestScriptDecidesTheAnswers(t *testing.T) {
	r := start(t, "--script", "200x2,500,429:retry-after=3,302:/elsewhere,201")
	r.expect(200, 200, 500)
	if resp, _ := r.post("{}"); resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "3" {
		t.Errorf("answered %d with Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	if resp, _ := r.post("{}"); resp.StatusCode != 302 || resp.Header.Get("Location") != "/elsewhere" {
		t.Errorf("answered %d with Location %q", resp.StatusCode, resp.Header.Get("Location"))
	}
	r.expect(201, 201)

	want := map[string]int64{"200": 2, "201": 2, "302": 1, "429": 1, "500": 1}
	if n := r.stats(); !reflect.DeepEqual(n.ByStatus, want) || n.Requests != 7 || n.Delivered != 4 || n.MissingKeys != 7 {
		t.Errorf("the counts are %+v", n)
	}
}

func TestScriptLoops(t *testing.T) {
	start(t, "--script", "200,500", "--loop").expect(200, 500, 200, 500)
}

func TestARequestThatARuleAnswersUsesNoStepOfTheScript(t *testing.T) {
	r := start(t, "--script", "200,201,202", "--match", `"poison, a"=500`, "--match", "bad=422")
	for _, tt := range []struct {
		body string
		want int
	}{{"{}", 200}, {`{"poison, a"}`, 500}, {"bad", 422}, {`bad "poison, a"`, 500}, {"{}", 201}, {"{}", 202}} {
		if resp, _ := r.post(tt.body); resp.StatusCode != tt.want {
			t.Errorf("%q was answered %d, want %d", tt.body, resp.StatusCode, tt.want)
		}
	}
}

func TestRequestsWithoutTheTokenGetA401(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--token", "s3cret"}, {"--token-file", file}} {
		r := start(t, append(args, "-v")...)
		for authorization, want := range map[string]int{"Bearer s3cret": 200, "Bearer other": 401, "s3cret": 401, "": 401} {
			if resp, _ := r.post("{}", "Authorization: "+authorization); resp.StatusCode != want {
				t.Errorf("%s: %q was answered %d, want %d", args[0], authorization, resp.StatusCode, want)
			}
		}
		if n := r.stats(); n.Delivered != 1 || n.ByStatus["401"] != 3 {
			t.Errorf("%s: the counts are %+v", args[0], n)
		}
		if strings.Contains(r.stderr.String(), "s3cret") {
			t.Errorf("the log holds the token: %s", r.stderr.String())
		}
	}
}

func TestWithSchemaOnlyASingleJSONObjectIsAccepted(t *testing.T) {
	r := start(t, "--schema")
	for body, want := range map[string]int{
		`{"a":1}`: 200, " {}\n": 200, `[{"a":1}]`: 400, "{}\n{}": 400, "1": 400, "": 400, `{"a":`: 400, "text": 400,
	} {
		resp, text := r.post(body)
		if resp.StatusCode != want {
			t.Errorf("%q was answered %d, want %d", body, resp.StatusCode, want)
		}
		if want == 400 && text != `{"error":"a JSON object is required"}`+"\n" {
			t.Errorf("%q was refused with %q", body, text)
		}
	}
	if resp, _ := r.post("{}", "Content-Encoding: br"); resp.StatusCode != 415 {
		t.Errorf("an unknown Content-Encoding was answered %d", resp.StatusCode)
	}
	if resp, _ := r.post("{}", "Content-Encoding: gzip"); resp.StatusCode != 400 {
		t.Errorf("broken gzip was answered %d", resp.StatusCode)
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	r := start(t, "--script", "201,200")
	for _, method := range []string{"GET", "HEAD", "DELETE"} {
		resp, _, err := r.do(method, r.url, "")
		if err != nil || resp.StatusCode != 405 || resp.Header.Get("Allow") != "POST, PUT" {
			t.Errorf("%s: %v %v", method, resp, err)
		}
	}
	r.expect(201)
	if resp, _, err := r.do("PUT", r.base+"/any/path?x=y", "{}"); err != nil || resp.StatusCode != 200 {
		t.Errorf("PUT: %v %v", resp, err)
	}
	if n := r.stats(); n.ByStatus["405"] != 3 || n.Delivered != 2 || n.Connections != 1 {
		t.Errorf("the counts are %+v", n)
	}
}

func compressed(t *testing.T, encoding, text string) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&b)
	if encoding == "zstd" {
		var err error
		if w, err = zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRulesAndSchemaSeeCompressedBodiesDecompressed(t *testing.T) {
	r := start(t, "--match", "poison=500", "--max-body", "1KiB")
	var size int64
	for _, encoding := range []string{"gzip", "zstd"} {
		for range 2 { // decoders are used again
			good, bad := compressed(t, encoding, `[{},{},{}]`), compressed(t, encoding, "poison")
			size += int64(len(good) + len(bad))
			if resp, _ := r.post(good, "Content-Encoding: "+encoding); resp.StatusCode != 200 {
				t.Errorf("%s was answered %d", encoding, resp.StatusCode)
			}
			if resp, _ := r.post(bad, "Content-Encoding: "+encoding); resp.StatusCode != 500 {
				t.Errorf("no rule saw into %s: %d", encoding, resp.StatusCode)
			}
		}
		bomb := compressed(t, encoding, strings.Repeat(" ", 64<<10))
		size += int64(len(bomb))
		r.post(bomb, "Content-Encoding: "+encoding)
	}
	// The four arrays of three, and one each for what was not decoded.
	if n := r.stats(); n.Items != 14 || n.Bytes != size || n.DistinctBodies != 3 {
		t.Errorf("the counts are %+v, want 14 items, 3 bodies, %d bytes", n, size)
	}
}

func TestLargeBodiesAreReadAndRefused(t *testing.T) {
	r := start(t, "--max-body", "10")
	for name, body := range map[string]io.Reader{
		"of known length":   strings.NewReader(strings.Repeat("x", 1<<20)),
		"of unknown length": io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20))),
	} {
		req, err := http.NewRequest(http.MethodPost, r.url, body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := r.client.Do(req)
		if err != nil {
			t.Fatalf("a body %s got no answer: %v", name, err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != 413 {
			t.Errorf("a body %s was answered %d", name, resp.StatusCode)
		}
	}
	r.post(strings.Repeat("x", 10))
	if n := r.stats(); n.ByStatus["413"] != 2 || n.Delivered != 1 || n.Bytes != 2<<20+10 {
		t.Errorf("the counts are %+v", n)
	}
}

func TestConnectionIsKept(t *testing.T) {
	r := start(t, "--script", "200x50,500x50")
	for range 100 {
		r.post("{}")
	}
	if n := r.stats(); n.Connections != 1 || n.MaxInFlight != 1 || n.InFlight != 0 {
		t.Errorf("100 requests took %d connections, %d in flight", n.Connections, n.MaxInFlight)
	}
}

// Clients that pipeline, speak HTTP/1.0 or wait for a 100 are served as well.
func TestPipeliningHTTP10AndExpectContinueAreServed(t *testing.T) {
	r := start(t)
	const http10 = "POST / HTTP/1.0\r\nContent-Length: 2\r\n"
	for _, tt := range []struct{ name, text, want string }{
		{"pipelining", strings.TrimSuffix(rawPost, "{}") + "{}" + strings.Replace(rawPost, "Host", "Connection: close\r\nHost", 1), "200 keep 200 close"},
		{"HTTP/1.0", http10 + "\r\n{}", "200 close"},
		{"HTTP/1.0 keep-alive", http10 + "Connection: keep-alive\r\n\r\n{}" + http10 + "\r\n{}", "200 keep 200 close"},
		{"chunked", "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\nT: x\r\n\r\n", "200 close"},
		{"expecting 100", "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", "100 keep 200 close"},
	} {
		if got := answersOn(r.raw(tt.text)); got != tt.want {
			t.Errorf("%s got %q, want %q", tt.name, got, tt.want)
		}
	}
	if n := r.stats(); n.DistinctBodies != 1 || n.Delivered != 7 {
		t.Errorf("the counts are %+v", n)
	}
}

// answersOn reads answers until the connection ends.
func answersOn(c net.Conn) string {
	in := bufio.NewReader(c)
	var got []string
	for {
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return strings.Join(got, " ")
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		keep := "keep"
		if resp.Close {
			keep = "close"
		}
		got = append(got, resp.Status[:3], keep)
	}
}
