package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestARequestWithAKeyThatWasDeliveredIsCountedAsDuplicate(t *testing.T) {
	r := start(t, "--script", "500,200")
	send := func(body, key string) {
		t.Helper()
		if key == "" {
			r.post(body)
		} else {
			r.post(body, "Idempotency-Key: "+key)
		}
	}
	send("a", `"k1"`) // answered 500: not a delivery
	send("a", `"k1"`) // the first
	send("a", `"k1"`) // a duplicate
	send("a", `k1`)   // the same key without its quotes
	send("b", `"k1"`) // a duplicate with another body
	send("a", `"k2"`) // an equal body is not a duplicate
	send("c", "")
	send("c", `""`)
	n := r.stats()
	if n.Delivered != 7 || n.DistinctKeys != 2 || n.Duplicates != 3 || n.KeyConflicts != 1 || n.DistinctBodies != 3 || n.MissingKeys != 2 {
		t.Errorf("the counts are %+v", n)
	}
}

func TestAnIdempotencyKeyIsTheSameWithAndWithoutQuotes(t *testing.T) {
	for value, want := range map[string]string{`"a"`: "a", "a": "a", `"`: `"`, `""`: "", `"a\"b\\"`: `a"b\`, `"a`: `"a`} {
		if got := bareKey(value); got != want {
			t.Errorf("the key of %s is %s, want %s", value, got, want)
		}
	}
}

func TestScriptIsChangedWhileRunning(t *testing.T) {
	r := start(t, "--script", "200x3,500")
	r.expect(200)
	steps := []struct {
		method, path, body string
		status             int
		answer             string
	}{
		{"GET", "/_control/script", "", 200, "200x2,500\n"},
		{"PUT", "/_control/script", "404,201\n", 200, "404,201\n"},
		{"PUT", "/_control/script", "404,x", 400, "step 2 of the script, \"x\": a status or one of hang, reset, close, partial is missing\n"},
		{"POST", "/_control/script?loop=perhaps", "200", 400, "loop is neither true nor false: \"perhaps\"\n"},
		{"GET", "/_control/script", "", 200, "404,201\n"},
	}
	for _, s := range steps {
		if status, answer := r.control(s.method, s.path, s.body); status != s.status || answer != s.answer {
			t.Errorf("%s %s answered %d %q, want %d %q", s.method, s.path, status, answer, s.status, s.answer)
		}
	}
	r.expect(404, 201, 201)
	r.control("POST", "/_control/script?loop=true", "404,201")
	r.expect(404, 201, 404)
	r.control("PUT", "/_control/script", "500,200")
	r.expect(500, 200, 500)
	r.control("PUT", "/_control/script?loop=false", "500,200")
	r.expect(500, 200, 200)
}

func TestControlIsNeitherCountedNorGuarded(t *testing.T) {
	r := start(t, "--token", "t", "--schema", "--latency", "1h")
	for range 3 {
		r.stats()
	}
	if status, _ := r.control("GET", "/_control/nothing", ""); status != http.StatusNotFound {
		t.Errorf("an unknown path was answered %d", status)
	}
	if status, _ := r.control("DELETE", "/_control/stats", ""); status != http.StatusMethodNotAllowed {
		t.Errorf("DELETE was answered %d", status)
	}
	if n := r.stats(); n.Requests != 0 || n.Connections != 0 || n.MissingKeys != 0 || n.MaxInFlight != 0 || len(n.ByStatus) != 0 {
		t.Errorf("the counts are %+v", n)
	}
	_ = r.raw("").Close()
	r.eventually("a connection without a request", func(n counts) bool { return n.Connections == 1 })
}

func TestResetSetsTheCountsToZero(t *testing.T) {
	r := start(t, "--script", "200,500,hang")
	r.post("{}", `Idempotency-Key: "k"`)
	r.expect(500)
	r.raw(rawPost)
	r.eventually("a request that hangs", func(n counts) bool { return n.InFlight == 1 })
	_, text := r.control("POST", "/_control/reset", "")
	n := decodeCounts(t, []byte(text))
	if n.InFlight != 1 || n.MaxInFlight != 1 {
		t.Errorf("the request in flight is gone: %s", text)
	}
	n.InFlight, n.MaxInFlight = 0, 0
	if len(n.ByStatus) != 0 || n.Requests+n.Delivered+n.Bytes+n.DistinctKeys+n.Connections != 0 {
		t.Errorf("after the reset the counts are %s", text)
	}
	r.control("PUT", "/_control/script", "200")
	r.post("{}", `Idempotency-Key: "k"`)
	if n := r.stats(); n.Duplicates != 0 || n.Delivered != 1 {
		t.Errorf("a key from before the reset is a duplicate: %+v", n)
	}
	if !strings.Contains(text, "\"by_status\": {}") {
		t.Errorf("by_status is not an object when empty: %s", text)
	}
}
