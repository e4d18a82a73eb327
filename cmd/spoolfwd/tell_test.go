package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool/drain"
)

func TestARejectionIsNamedWithItsReason(t *testing.T) {
	for _, c := range []struct {
		r    drain.Rejection
		want string
	}{
		{drain.Rejection{Name: "cut.json", Why: "is not valid JSON"}, "cut.json is not valid JSON"},
		{drain.Rejection{Name: "x.json", Attempts: 1, Status: 400}, "x.json was answered 400"},
		{drain.Rejection{Name: "x.json", Attempts: 1, Status: 413, Item: 3}, "item 3 of x.json was answered 413"},
		{drain.Rejection{Name: "x.json", Attempts: 1, Status: 400, Answer: " no\n start_time "}, "x.json was answered 400: no start_time"},
		{drain.Rejection{Name: "x.json", Attempts: 2, Status: 400, Answer: strings.Repeat("a", 199) + "ä"}, "x.json was answered 400 at attempt 2: " + strings.Repeat("a", 199) + "..."},
		{drain.Rejection{Name: "x.json", Attempts: 1, Status: 400, Answer: "<!doctype html><title>400"}, "x.json was answered 400"},
		{drain.Rejection{Name: "x.json", Attempts: 10, Status: 500}, "x.json was answered 500 at attempt 10"},
		{drain.Rejection{Name: "x.json", Attempts: 10}, "x.json got no answer in 10 attempts"},
		{drain.Rejection{Name: "\xff.json", Attempts: 1, Status: 400}, `"\xff.json" was answered 400`},
	} {
		if got := rejectionText(c.r); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.r, got, c.want)
		}
	}
}

func TestARunNamesTheFirstPayloadsThatItRejected(t *testing.T) {
	w := newWorld(t)
	w.put("cut.json", `{"a":`)
	w.put("\x1b[2J\n.json", `{`)
	w.put("batch.json", `[1,2]`)
	for i := range 4 {
		w.put(fmt.Sprintf("x%d.json", i), `{}`)
	}
	w.answer(http.StatusBadRequest)
	r := w.do("run", "--failure-threshold", "50").wantCode(t, exit.Rejected)
	wantText(t, "standard error", r.stderr,
		"8 payloads were rejected: cut.json is not valid JSON", `; \x1b[2J\n.json is not valid JSON`,
		"; item 1 of batch.json was answered 400; x2.json was answered 400; x3.json was answered 400; and 3 more\n")
	wantNoText(t, "standard error", r.stderr, "x0.json", "\x1b")
}

func TestTheWordsOfAListenerAreMadePrintable(t *testing.T) {
	w := newWorld(t)
	w.put("a.json", `{}`)
	w.text = "no\x1b[31m start_time\u202e"
	w.answer(http.StatusBadRequest)
	r := w.do("run").wantCode(t, exit.Rejected)
	wantText(t, "standard error", r.stderr, `a.json was answered 400: no\x1b[31m start_time\u202e`)
	r = w.do("rejected list").wantCode(t, exit.OK)
	wantText(t, "the list", r.stdout, `answered 400 Bad Request: no\x1b[31m start_time\u202e`)
}
