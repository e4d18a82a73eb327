package main

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestAScriptIsParsedAndPrintedInItsNormalForm(t *testing.T) {
	text := func(s string) *string { return &s }
	answer := func(status int, change func(*step)) step {
		s := answerWith(status)
		change(&s)
		return s
	}
	tests := []struct {
		name, script string
		want         script
		printed      string // "" = as given
	}{
		{"one status", "200", script{answerWith(200)}, ""},
		{"the lowest and the highest status", "100,599", script{answerWith(100), answerWith(599)}, ""},
		{"repeats", "200x10,500x5", script{{status: 200, repeat: 10}, {status: 500, repeat: 5}}, ""},
		{"a repeat of one", "200x1", script{answerWith(200)}, "200"},
		{"spaces around steps", " 200 , resetx2 ", script{answerWith(200), {kind: kindReset, repeat: 2}}, "200,resetx2"},
		{"every fault", "hang,reset,close,partial", script{{kind: kindHang, repeat: 1}, {kind: kindReset, repeat: 1}, {kind: kindClose, repeat: 1}, {kind: kindPartial, repeat: 1}}, ""},
		{"a hang that ends", "hangx2:2s", script{{kind: kindHang, repeat: 2, hold: 2 * time.Second}}, ""},
		{"a bare number is seconds", "hang:1.5", script{{kind: kindHang, repeat: 1, hold: 1500 * time.Millisecond}}, "hang:1.5s"},
		{"a hang in its long form", "hang:hold=2s;delay=1", script{{kind: kindHang, repeat: 1, hold: 2 * time.Second, delay: time.Second}}, "hang:2s;delay=1s"},
		{"a fault that comes late", "reset:delay=20ms", script{{kind: kindReset, repeat: 1, delay: 20 * time.Millisecond}}, ""},
		{"retry-after", "429:retry-after=3", script{answer(429, func(s *step) { s.retryAfter = "3" })}, ""},
		{"retry-after as a date", "503:retry-after=@-1h", script{answer(503, func(s *step) { s.retryAfter = "@-1h" })}, ""},
		{"retry-after that is garbage", "503:retry-after=soon =x", script{answer(503, func(s *step) { s.retryAfter = "soon =x" })}, ""},
		{"a location by its path", "302:/elsewhere?a=b", script{answer(302, func(s *step) { s.location = "/elsewhere?a=b" })}, "302:location=/elsewhere?a=b"},
		{"a location by its URL", "307:https://h:1/x?a=b", script{answer(307, func(s *step) { s.location = "https://h:1/x?a=b" })}, "307:location=https://h:1/x?a=b"},
		{"headers", "200:header=A=1;header=B=x=y", script{answer(200, func(s *step) { s.headers = []header{{"A", "1"}, {"B", "x=y"}} })}, ""},
		{"a body with everything special", `400:body=a\,b\;c\\d:e`, script{answer(400, func(s *step) { s.body = text(`a,b;c\d:e`) })}, ""},
		{"an empty body", "400:body=", script{answer(400, func(s *step) { s.body = text("") })}, ""},
		{"a date that is off", "200:date=-1h", script{answer(200, func(s *step) { s.date = -time.Hour })}, "200:date=-1h0m0s"},
		{"all options", "503x2:body=b;retry-after=1;delay=1s;date=1s;location=/x;header=K=V", script{{status: 503, repeat: 2, retryAfter: "1", location: "/x",
			headers: []header{{"K", "V"}}, body: text("b"), delay: time.Second, date: time.Second}},
			"503x2:retry-after=1;location=/x;header=K=V;body=b;delay=1s;date=1s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseScript(tt.script)
			if err != nil {
				t.Fatalf("parseScript(%q): %v", tt.script, err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("parseScript(%q) = %+v, want %+v", tt.script, got, tt.want)
			}
			want := tt.printed
			if want == "" {
				want = tt.script
			}
			if got.String() != want {
				t.Errorf("%q is printed as %q, want %q", tt.script, got, want)
			}
		})
	}
}

func TestBrokenScriptsAreExplained(t *testing.T) {
	tests := []struct{ script, want string }{
		{"", `step 1 of the script, "": a status or one of hang`},
		{"200,,500", `step 2 of the script, "": a status`},
		{"200,", `step 2`},
		{"x5", "is missing"},
		{"99", `"99" is neither a status from 100 to 599 nor`},
		{"600", "neither a status"},
		{"0200", "neither a status"},
		{"+20", "neither a status"},
		{"20 0", "neither a status"},
		{"Hang", "neither a status"},
		{"200x0", `the repeat count "x0"`},
		{"200x-1", "the repeat count"},
		{"200x1000000001", "the repeat count"},
		{"200xx2", "the repeat count"},
		{"200x", "the repeat count"},
		{"200:", `the option "" is neither NAME=VALUE nor`},
		{"429:retry-after", `the option "retry-after" is neither`},
		{"429:retry-after=", "retry-after is empty"},
		{"429:retry-after=@x", `"x" is not a duration`},
		{"429:retryafter=3", `unknown option "retryafter"; known are retry-after`},
		{"429:retry-after=3;retry-after=4", "retry-after is given twice"},
		{"302:/a;location=/b", "location is given twice"},
		{"302:location=/a\r\nX: y", "control characters"},
		{"200:header=A", "not header=NAME=VALUE"},
		{"200:header=A B=c", "not header=NAME=VALUE"},
		{"200:header=A=b\nC: d", "control characters"},
		{"200:header=content-length=5", "the header content-length is the listener's own"},
		{"200:delay=-1s", "not above zero"},
		{"200:delay=0", "not above zero"},
		{"200:hold=2s", "hold is for hang only"},
		{"200:2s", "neither NAME=VALUE"},
		{"hang:soon", `"soon" is not a duration`},
		{"hang:2s;3s", "hold is given twice"},
		{"reset:retry-after=3", `reset does not take the option "retry-after"`},
		{`200:body=a\`, "a backslash stands before neither"},
		{`200:body=a\n`, "a backslash stands before neither"},
	}
	for _, tt := range tests {
		t.Run(tt.script, func(t *testing.T) {
			got, err := parseScript(tt.script)
			if err == nil {
				t.Fatalf("parseScript(%q) = %+v, want an error", tt.script, got)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("parseScript(%q) says %q, want %q in it", tt.script, err, tt.want)
			}
		})
	}
}

func FuzzParseScript(f *testing.F) {
	for _, seed := range []string{
		"200x10,500x5,hang,reset,429:retry-after=3,302:/elsewhere,200",
		"hang:2s;delay=1", "partialx2,close", `400:body=a\,b\;c\\d`, "200:header=A=1;header=B=2;date=-1h", "503:retry-after=@30s",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := parseScript(text)
		if err != nil {
			return
		}
		second, err := parseScript(first.String())
		if err != nil {
			t.Fatalf("%q is printed as %q, which does not parse: %v", text, first, err)
		}
		if !reflect.DeepEqual(first, second) {
			t.Fatalf("%q is printed as %q, which means something else", text, first)
		}
		for _, s := range first {
			if s.repeat < 1 || s.hold < 0 || s.delay < 0 || (s.kind == kindAnswer) != (s.status != 0) {
				t.Fatalf("%q has an impossible step %+v", text, s)
			}
		}
	})
}
