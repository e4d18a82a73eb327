package spool_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
	"github.com/bitville-apm/spoolfwd/spool"
)

const aReason = `{"file":"x.json","idempotency_key":"00112233445566778899aabbccddeeff","time":"2026-11-22T12:00:00Z","attempts":1,"status":422,"error":"refused"}`

// A file that is sent is removed: that must not happen to the reason of a payload, or to the state
// of the breaker.
func TestFilesOfTheProgramsOwnAreNeverPayloads(t *testing.T) {
	for _, tt := range []struct {
		name, content string
		own           bool
	}{
		{"a reason", aReason, true},
		{"an indented reason", "{\n  \"file\": \"x.json\",\n  \"time\": \"2026-11-22T12:00:00Z\",\n  \"attempts\": 0,\n  \"error\": \"\"\n}\n", true},
		{"a reason in part", `{"file":"x.json","time":"2026-11-22T12:00:00Z","attempts":1}`, false},
		{"a payload like a reason", `{"file":"x.json","time":"2026-11-22T12:00:00Z","attempts":1,"error":"no","line":12}`, false},
		{"a payload about a file", `{"file":"index.php"}`, false},
		{"a state", `{"state":"closed","failure_count":0,"last_failure_time":0,"opened_at":0,"version":1}` + "\n", true},
		{"a state of another program", `{"opened_at":null,"last_failure_time":null,"failure_count":3,"state":"half_open"}`, true},
		{"a payload with a state", `{"state":"closed","failure_count":0}`, false},
		{"a payload about a door", `{"state":"ajar","failure_count":0,"last_failure_time":0,"opened_at":17}`, false},
		{"an index", `{"version":1,"files":{"x.json":{"failed":{"k":{"attempts":1}},"others":true}}}`, true},
		{"a payload with a version", `{"version":1,"files":{"x.json":{"size":1}}}`, false},
		{"metrics", "# HELP spoolfwd_runs_total Runs by exit code.\n", true},
		{"an array of reasons", "[" + aReason + "]", false},
		{"an empty object", "{}", false},
		{"a number", "1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, cfg := range []spool.Config{{}, {Whole: true}, {Pattern: "*", Raw: true}} {
				s, dir := newSpool(t, cfg)
				write(t, dir, "any.json", tt.content, 0)
				_, err := s.Read(spool.Entry{Name: "any.json"}, noon, nil)
				var skip *spool.SkipError
				if errors.As(err, &skip) != tt.own || !tt.own && err != nil {
					t.Errorf("with %+v: %v", cfg, err)
				}
			}
		})
	}
}

func TestAPayloadThatBeginsWithAReasonIsAPayload(t *testing.T) {
	s, dir := newSpool(t, spool.Config{Raw: true})
	write(t, dir, "any.json", aReason+"\n"+`{"a":"payload"}`, 0)
	if got := bodies(read(t, s, "any.json")); len(got) != 1 {
		t.Errorf("read %q", got)
	}
}

// A person may put payloads back with mv instead of `rejected retry`.
func TestPayloadsMovedBackByHandKeepTheirKeys(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	want := map[string]string{} // body by key
	remember := func(body, key string) { want[key] = body }
	for _, body := range []string{`{"day":1}`, `{"day":2}`} {
		write(t, dir, "x.json", body, 0)
		p := read(t, s, "x.json")
		remember(body, keys(p)[0])
		must(t, s.Reject(p, because()))
	}
	write(t, dir, "list.json", `[7,8]`, 0)
	p := read(t, s, "list.json")
	remember("8", keys(p)[1])
	must(t, s.RejectItem(p, 1, because()))
	must(t, s.Rewrite(p, []int{0}))
	remember("7", keys(read(t, s, "list.json"))[0])
	for _, name := range list(t, dir, "rejected") {
		must(t, os.Rename(filepath.Join(dir, "rejected", name), filepath.Join(dir, name)))
	}

	for _, back := range s.Sweep(time.Now(), scan(t, s).Leftovers) {
		if p := read(t, s, back.Name); back.Reason.Key != keys(p)[0] || back.Reason.Attempts != 10 {
			t.Errorf("%s came back with %+v, and its key is %s", back.Name, back.Reason, keys(p)[0])
		}
	}

	page := scan(t, s)
	for e := range page.Entries.All() {
		p := read(t, s, e.Name)
		if key := keys(p)[0]; want[key] != string(p.Items[0].Body) {
			t.Errorf("%s holds %s, and its key was that of %q", e.Name, p.Data, want[key])
		} else {
			delete(want, key)
		}
	}
	if len(want) != 0 || page.Files != 4 {
		t.Errorf("%d files; missing: %v", page.Files, want)
	}
	s.Sweep(time.Now(), scan(t, s).Leftovers)
	if again := scan(t, s); again.Files != page.Files || len(again.Leftovers) != 0 {
		t.Errorf("a second sweep leaves %d files and %q", again.Files, again.Leftovers)
	}
}

func TestAReasonInTheSpoolWithoutItsPayloadIsSweptAfterAnHour(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json.reason.json", aReason, 0)
	write(t, dir, "y.json.reason.json", `{"a":"payload"}`, 0)
	s.Sweep(time.Now().Add(time.Minute), scan(t, s).Leftovers)
	wantNames(t, "after a minute", list(t, dir), "x.json.reason.json", "y.json.reason.json")
	s.Sweep(time.Now().Add(2*time.Hour), scan(t, s).Leftovers)
	wantNames(t, "after two hours", list(t, dir), "y.json.reason.json")
}

// In a spool that everybody may write to, a reason with the key of a delivered payload would make
// the listener take another one for its duplicate.
func TestAReasonOfAnotherUserGivesNoKey(t *testing.T) {
	need.Root(t, "give files away")
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", `{"precious":1}`, 0)
	key := keys(read(t, s, "x.json"))[0]
	write(t, dir, "x.json.reason.json", strings.Replace(aReason, `"file":"x.json"`, `"file":"other.json"`, 1), 0)
	must(t, os.Chown(filepath.Join(dir, "x.json.reason.json"), nobody, nobody))
	if back := s.Sweep(time.Now().Add(24*time.Hour), scan(t, s).Leftovers); len(back) != 0 {
		t.Errorf("taken back: %+v", back)
	}
	wantNames(t, "in the spool", list(t, dir), "x.json", "x.json.reason.json")
	wantNames(t, "keys", keys(read(t, s, "x.json")), key)
}

func TestAReasonInTheSpoolCannotSendAPayloadElsewhere(t *testing.T) {
	for _, file := range []string{"../escaped.json", ".hidden.json", "taken.json"} {
		s, dir := newSpool(t, spool.Config{})
		write(t, dir, "x.json", `{"precious":1}`, 0)
		write(t, dir, "taken.json", `{"mine":1}`, 0)
		write(t, dir, "x.json.reason.json", `{"file":"`+file+`","time":"2026-11-22T12:00:00Z","attempts":1,"error":""}`, 0)
		s.Sweep(time.Now(), scan(t, s).Leftovers)
		found := 0
		for e := range scan(t, s).Entries.All() {
			if got := content(t, dir, e.Name); got == `{"precious":1}` {
				found++
			}
		}
		if got := content(t, dir, "taken.json"); got != `{"mine":1}` || found != 1 {
			t.Errorf("%s: taken.json holds %q, and the payload is there %d times", file, got, found)
		}
	}
}
