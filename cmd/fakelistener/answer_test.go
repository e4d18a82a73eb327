package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"
)

var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// answerOf reads the answer of a step as a client would.
func answerOf(t *testing.T, stepText string, http10, keep bool) (*http.Response, string) {
	t.Helper()
	raw := mustParse(t, stepText)[0].appendAnswer(nil, http.MethodPost, testNow, http10, keep)
	in := bufio.NewReader(bytes.NewReader(raw))
	resp, err := http.ReadResponse(in, &http.Request{Method: http.MethodPost})
	if err != nil {
		t.Fatalf("the answer of %s is not HTTP: %v in %q", stepText, err, raw)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("the body of %s: %v in %q", stepText, err, raw)
	}
	if in.Buffered() > 0 {
		t.Errorf("bytes are left over after the answer of %s: %q", stepText, raw)
	}
	return resp, string(body)
}

func TestEveryStatusIsAWholeAnswer(t *testing.T) {
	for status := 100; status <= 599; status++ {
		s := answerWith(status)
		resp, _ := answerOf(t, s.String(), false, true)
		if resp.StatusCode != status {
			t.Errorf("the step %d answers %d", status, resp.StatusCode)
		}
		if s.delivers() != (status >= 200 && status <= 299) {
			t.Errorf("the step %d delivers: %v", status, s.delivers())
		}
	}
}

func TestAnswersCarryTheirOptions(t *testing.T) {
	tests := []struct{ name, step, header, want string }{
		{"the date", "200", "Date", "Sun, 01 Mar 2026 12:00:00 GMT"},
		{"a shifted date", "200:date=-1h", "Date", "Sun, 01 Mar 2026 11:00:00 GMT"},
		{"retry-after", "429:retry-after=1.5", "Retry-After", "1.5"},
		{"retry-after as a date", "429:retry-after=@30s", "Retry-After", "Sun, 01 Mar 2026 12:00:30 GMT"},
		{"retry-after as a date on a shifted clock", "429:retry-after=@30;date=1h", "Retry-After", "Sun, 01 Mar 2026 13:00:30 GMT"},
		{"location", "302:/elsewhere", "Location", "/elsewhere"},
		{"a header", "200:header=X-A=b", "X-A", "b"},
		{"a header in the place of a default", "200:header=content-type=text/plain", "Content-Type", "text/plain"},
		{"the type", "200", "Content-Type", "application/json"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, _ := answerOf(t, tt.step, false, true)
			if got := resp.Header.Values(tt.header); len(got) != 1 || got[0] != tt.want {
				t.Errorf("%s of %s is %q, want %q", tt.header, tt.step, got, tt.want)
			}
		})
	}
}

func TestAnswersHaveTheirBody(t *testing.T) {
	for stepText, want := range map[string]string{
		"500":              "{\"status\":500}\n",
		`400:body=no\, no`: "no, no",
		"400:body=":        "",
		"204":              "",
		"304":              "",
	} {
		if _, body := answerOf(t, stepText, false, true); body != want {
			t.Errorf("the body of %s is %q, want %q", stepText, body, want)
		}
	}
	head := answerWith(405).appendAnswer(nil, http.MethodHead, testNow, false, true)
	if !bytes.HasSuffix(head, []byte("Content-Length: 15\r\n\r\n")) {
		t.Errorf("the answer to HEAD has a body: %q", head)
	}
}

func TestAnswersTellWhetherTheConnectionStays(t *testing.T) {
	tests := []struct {
		name         string
		http10, keep bool
		want         string
	}{
		{"kept", false, true, ""},
		{"ended", false, false, "close"},
		{"kept in HTTP/1.0", true, true, "keep-alive"},
		{"ended in HTTP/1.0", true, false, "close"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			raw := answerWith(200).appendAnswer(nil, http.MethodPost, testNow, tt.http10, tt.keep)
			if got := headerLine(raw, "Connection"); got != tt.want {
				t.Errorf("Connection is %q, want %q", got, tt.want)
			}
		})
	}
	for stepText, want := range map[string]bool{"200": true, "500": true, "103": false, "200:header=connection=Close": false} {
		if got := mustParse(t, stepText)[0].stays(); got != want {
			t.Errorf("after %s the connection stays: %v", stepText, got)
		}
	}
}

func headerLine(raw []byte, name string) string {
	_, after, found := bytes.Cut(raw, []byte("\r\n"+name+": "))
	if !found {
		return ""
	}
	value, _, _ := bytes.Cut(after, []byte("\r\n"))
	return string(value)
}
