package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// asCommand makes the test binary be the command itself.
const asCommand = "FAKELISTENER_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// running is a whole command running inside the test.
type running struct {
	t      *testing.T
	url    string
	base   string // without a path
	host   string
	client *http.Client
	stdout *bufio.Reader
	stderr syncBuffer
	cancel context.CancelFunc
	code   chan int
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// start runs the command on a free port and waits until it is ready. The test fails unless it ends
// well.
func start(t *testing.T, args ...string) *running {
	t.Helper()
	r := startAny(t, args...)
	t.Cleanup(func() {
		if code := r.stop(); code != exitOK {
			t.Errorf("the command ended with %d: %s", code, r.stderr.String())
		}
	})
	return r
}

func startAny(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{t: t, cancel: cancel, code: make(chan int, 1), client: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 100},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	out, in := io.Pipe()
	r.stdout = bufio.NewReader(out)
	go func() {
		code := run(ctx, append([]string{"fakelistener", "--listen", "127.0.0.1:0"}, args...), in, &r.stderr)
		_ = in.Close()
		r.code <- code
	}()
	line, err := r.stdout.ReadString('\n')
	if err != nil {
		t.Fatalf("no address on stdout, exit code %d: %s", <-r.code, r.stderr.String())
	}
	r.url = strings.TrimSuffix(line, "\n")
	u, err := url.Parse(r.url)
	if err != nil || u.Path != "/api/profiling" {
		t.Fatalf("the first line is not a URL of the listener: %q", line)
	}
	r.host, r.base = u.Host, u.Scheme+"://"+u.Host
	return r
}

// stop ends the command and returns its exit code, however often it is called.
func (r *running) stop() int {
	r.cancel()
	return r.wait()
}

func (r *running) wait() int {
	r.t.Helper()
	code := <-r.code
	r.code <- code
	r.client.CloseIdleConnections()
	if rest, _ := io.ReadAll(r.stdout); len(rest) > 0 {
		r.t.Errorf("stdout holds more than the address: %q", rest)
	}
	return code
}

// do sends a request; headers are "K: V".
func (r *running) do(method, target, body string, headers ...string) (*http.Response, string, error) {
	req, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	for _, h := range headers {
		k, v, _ := strings.Cut(h, ": ")
		req.Header.Add(k, v)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp, string(text), err
}

// post sends a body and returns the answer, which there must be.
func (r *running) post(body string, headers ...string) (*http.Response, string) {
	r.t.Helper()
	resp, text, err := r.do(http.MethodPost, r.url, body, headers...)
	if err != nil {
		r.t.Fatalf("POST %q got no answer: %v", body, err)
	}
	return resp, text
}

// expect posts bodies of their own and compares the statuses of the answers.
func (r *running) expect(statuses ...int) {
	r.t.Helper()
	for i, want := range statuses {
		if resp, _ := r.post("{}"); resp.StatusCode != want {
			r.t.Errorf("request %d was answered %d, want %d", i+1, resp.StatusCode, want)
		}
	}
}

func (r *running) control(method, path, body string) (int, string) {
	r.t.Helper()
	resp, text, err := r.do(method, r.base+path, body)
	if err != nil {
		r.t.Fatalf("%s %s got no answer: %v", method, path, err)
	}
	return resp.StatusCode, text
}

func (r *running) stats() counts {
	r.t.Helper()
	_, text := r.control(http.MethodGet, "/_control/stats", "")
	return decodeCounts(r.t, []byte(text))
}

func decodeCounts(t *testing.T, text []byte) counts {
	t.Helper()
	var n counts
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&n); err != nil {
		t.Fatalf("the counts are not JSON as promised: %v in %s", err, text)
	}
	return n
}

// eventually asks for the counts until they are as wanted.
func (r *running) eventually(what string, wanted func(counts) bool) {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if wanted(r.stats()) {
			return
		}
	}
	r.t.Fatalf("the counts never showed %s: %+v", what, r.stats())
}

// raw opens a connection and writes text on it.
func (r *running) raw(text string) *net.TCPConn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.host)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		r.t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

const rawPost = "POST /api/profiling HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
