package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// rejectedWorld has three rejected payloads: one with status 400, one with 413 that is two days
// older, one that was never sent.
func rejectedWorld(t *testing.T) *world {
	w := newWorld(t)
	w.put("old413.json", `{"big":1}`)
	w.answer(http.StatusRequestEntityTooLarge)
	w.do("run").wantCode(t, exit.Rejected)
	w.pass(48 * time.Hour)
	w.put("new400.json", `{"bad":"\u001b"}`)
	w.answer(http.StatusBadRequest)
	w.do("run").wantCode(t, exit.Rejected)
	w.put("nojson.json", "\x1b[2Jno json")
	w.do("run").wantCode(t, exit.Rejected)
	w.answer(http.StatusOK)
	w.received()
	return w
}

func TestRejectedListSelectsByNameStatusAndAge(t *testing.T) {
	w := rejectedWorld(t)
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"everything, oldest first", nil, "old413.json new400.json nojson.json"},
		{"by name", []string{"new400.json"}, "new400.json"},
		{"by glob", []string{"n*"}, "new400.json nojson.json"},
		{"by status", []string{"--status", "413"}, "old413.json"},
		{"by range of statuses", []string{"--status", "4xx"}, "old413.json new400.json"},
		{"by either status", []string{"--status", "413", "--status", "400"}, "old413.json new400.json"},
		{"by age", []string{"--older-than", "1d"}, "old413.json"},
		{"by several criteria", []string{"--older-than", "1d", "--status", "400"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := w.do("rejected list", append(c.args, "--json")...).wantCode(t, exit.OK)
			var list []rejectedView
			if err := json.Unmarshal([]byte(r.stdout), &list); err != nil {
				t.Fatalf("%v:\n%s", err, r.stdout)
			}
			var names []string
			for _, v := range list {
				names = append(names, v.Name)
			}
			if got := strings.Join(names, " "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	r := w.do("rejected list").wantCode(t, exit.OK)
	wantText(t, "the list", r.stdout, "STATUS", "413", "400", "nojson.json")
}

func TestRejectedShowGivesReasonAndPayload(t *testing.T) {
	w := rejectedWorld(t)
	r := w.do("rejected show", "new400.json", "nojson.json").wantCode(t, exit.OK)
	wantText(t, "the text", r.stdout, "status    400", `payload   {"bad":"\u001b"}`, `payload   \x1b[2Jno json`, "attempts  1", "key ")
	r = w.do("rejected show", "--json", "n*").wantCode(t, exit.OK)
	var views []rejectedView
	if err := json.Unmarshal([]byte(r.stdout), &views); err != nil || len(views) != 2 {
		t.Fatalf("%v:\n%s", err, r.stdout)
	}
	wantNoText(t, "JSON", r.stdout, "\x1b")
}

func TestRejectedRemoveDeletesOnlyTheSelectedPayloads(t *testing.T) {
	w := rejectedWorld(t)
	r := w.do("rejected remove", "--json", "nojson.json").wantCode(t, exit.OK)
	wantText(t, "standard output", r.stdout, `"removed"`, "nojson.json")
	if got := namesIn(t, w.spool+"/rejected"); len(got) != 4 {
		t.Errorf("rejected/ holds %q, want two payloads and their reasons", got)
	}
	w.do("rejected remove", "--all").wantCode(t, exit.OK)
	if got := namesIn(t, w.spool+"/rejected"); len(got) != 0 {
		t.Errorf("rejected/ still holds %q", got)
	}
	r = w.do("rejected remove", "--all").wantCode(t, exit.OK)
	wantText(t, "standard output", r.stdout, "0 payloads removed")
}

// A payload is deleted or sent again only when it was selected, so that a slip changes nothing.
func TestRejectedCommandsRefuseToActWithoutASelection(t *testing.T) {
	w := rejectedWorld(t)
	before := w.snapshot()
	for _, command := range []string{"rejected show", "rejected retry", "rejected remove"} {
		r := w.do(command).wantCode(t, exit.Usage)
		wantText(t, command, r.stderr, "--all")
		r = w.do(command, "new400.json", "nwe400.json").wantCode(t, exit.Usage)
		wantText(t, command, r.stderr, `no rejected payload is named "nwe400.json"`)
		w.do(command, "[").wantCode(t, exit.Usage)
		w.do(command, "--status", "40x").wantCode(t, exit.Usage)
		w.do(command, "--older-than", "-1d").wantCode(t, exit.Usage)
	}
	if w.snapshot() != before {
		t.Error("something changed")
	}
}
