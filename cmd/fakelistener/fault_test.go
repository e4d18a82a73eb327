package main

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestFaultsAsTheClientSeesThem(t *testing.T) {
	whole := "HTTP/1.1 200 OK\r\n"
	tests := []struct {
		step    string
		wantErr error // of reading to the end
		check   func(got string) bool
	}{
		{"reset", syscall.ECONNRESET, func(got string) bool { return got == "" }},
		{"close", nil, func(got string) bool { return got == "" }},
		{"partial", nil, func(got string) bool {
			return strings.HasPrefix(got, whole) && !strings.Contains(got, "\r\n\r\n")
		}},
		{"hang:1ms", nil, func(got string) bool { return got == "" }},
		{"103", nil, func(got string) bool {
			return strings.HasPrefix(got, "HTTP/1.1 103 Early Hints\r\n") && strings.HasSuffix(got, "\r\n\r\n")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.step, func(t *testing.T) {
			r := start(t, "--script", tt.step+",200")
			got, err := io.ReadAll(r.raw(rawPost))
			if !errors.Is(err, tt.wantErr) {
				t.Errorf("the connection ended with %v, want %v", err, tt.wantErr)
			}
			if !tt.check(string(got)) {
				t.Errorf("the client got %q", got)
			}
			label, _, _ := strings.Cut(tt.step, ":")
			if n := r.stats(); n.ByStatus[label] != 1 || n.Requests != 1 || n.Delivered != 0 || n.Items != 0 {
				t.Errorf("the counts are %+v", n)
			}
			r.expect(200)
		})
	}
}

func TestHangLastsUntilTheClientLeaves(t *testing.T) {
	r := start(t, "--script", "hangx3,200")
	c := r.raw(rawPost)
	r.eventually("a request that hangs", func(n counts) bool { return n.ByStatus["hang"] == 1 && n.InFlight == 1 })
	r.raw(rawPost)
	r.raw(rawPost)
	r.eventually("three that hang", func(n counts) bool { return n.InFlight == 3 && n.MaxInFlight == 3 })
	_ = c.Close()
	r.eventually("that one client left", func(n counts) bool { return n.InFlight == 2 })
	r.expect(200)
}

func TestRequestsThatAreCutOffAreNotDelivered(t *testing.T) {
	r := start(t, "--script", "201,200")
	for i, text := range []string{
		"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"a\":1}",
		"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n",
		"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
		"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n{}",
		"POST /x HT",
	} {
		_ = r.raw(text).Close()
		r.eventually("a request cut off", func(n counts) bool { return n.CutOff == int64(i+1) })
	}
	c := r.raw("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"a\":1}")
	if err := c.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	r.eventually("a request cut off by a reset", func(n counts) bool { return n.CutOff == 6 })
	_ = r.raw("").Close()
	r.expect(201)
	if n := r.stats(); n.Requests != 1 || n.Delivered != 1 || n.Malformed != 0 || n.InFlight != 0 || n.CutOff != 6 {
		t.Errorf("the counts are %+v", n)
	}
}

func TestMalformedRequestsGetA400(t *testing.T) {
	r := start(t)
	for i, text := range []string{
		"no HTTP\r\n\r\n",
		"POST /x HTTP/1.1\r\nno header\r\n\r\n",
		"POST /x HTTP/1.1\r\nContent-Length: x\r\n\r\n",
		"POST /x HTTP/1.1\r\nX: " + strings.Repeat("x", maxHead),
	} {
		c := r.raw(text)
		resp, _ := io.ReadAll(c)
		if !strings.HasPrefix(string(resp), "HTTP/1.1 400 Bad Request\r\n") {
			t.Errorf("%.40q was answered %q", text, resp)
		}
		if n := r.stats(); n.Malformed != int64(i+1) || n.Requests != 0 || n.CutOff != 0 {
			t.Errorf("after %.40q the counts are %+v", text, n)
		}
	}
}

func TestManyClientsAreCountedExactly(t *testing.T) {
	r := start(t, "--script", "200x500,500x300,200")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 125 {
				if _, _, err := r.do(http.MethodPost, r.url, `[{},{}]`); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	n := r.stats()
	if n.Requests != 1000 || n.ByStatus["500"] != 300 || n.Delivered != 700 || n.Items != 1400 || n.MaxInFlight > 8 || n.InFlight != 0 {
		t.Errorf("the counts are %+v", n)
	}
}
