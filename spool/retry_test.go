package spool_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

// onlyRejected returns the one payload in rejected/.
func onlyRejected(t *testing.T, s *spool.Spool) spool.Rejected {
	t.Helper()
	rejected, err := s.Rejected()
	if err != nil || len(rejected) != 1 {
		t.Fatalf("%d payloads are rejected, want 1: %v", len(rejected), err)
	}
	return rejected[0]
}

// retry puts one payload back and returns its name in the spool.
func retry(s *spool.Spool, r spool.Rejected) (string, error) {
	done, err := s.Retry(r)
	if len(done) != 1 {
		return "", err
	}
	return done[0].As, errors.Join(done[0].Err, err)
}

func TestARejectedFileComesBackAsItWas(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", `{"a":1}`, time.Hour)
	must(t, os.Chmod(filepath.Join(dir, "x.json"), 0o640))
	before := read(t, s, "x.json")
	must(t, s.Reject(before, because()))
	name, err := retry(s, onlyRejected(t, s))
	if err != nil || name != "x.json" {
		t.Fatalf("back as %q, %v", name, err)
	}
	after := read(t, s, "x.json")
	wantNames(t, "items", bodies(after), bodies(before)...)
	wantNames(t, "keys", keys(after), keys(before)...)
	if st, err := os.Stat(filepath.Join(dir, "x.json")); err != nil || st.Mode() != 0o640 || after.ModTime != before.ModTime {
		t.Errorf("mode %v, time %v, %v", st.Mode(), st.ModTime(), err)
	}
	wantNames(t, "in rejected/", list(t, dir, "rejected"))
}

func TestARejectedItemComesBackUnderItsKey(t *testing.T) {
	for _, batch := range []string{`[{"a":1},{"a":2}]`, `["same","same"]`, `[[1,2],[3,4]]`, `[[],[]]`, "[\"\xff\",1]"} {
		s, dir := newSpool(t, spool.Config{})
		write(t, dir, "x.json", batch, 0)
		p := read(t, s, "x.json")
		must(t, s.RejectItem(p, 0, because()))
		must(t, s.Rewrite(p, []int{1}))
		name, err := retry(s, onlyRejected(t, s))
		must(t, err)
		back := read(t, s, name)
		wantNames(t, batch+": items", bodies(back), bodies(p)[0])
		wantNames(t, batch+": keys", keys(back), keys(p)[0])
		wantNames(t, batch+": the other's key", keys(read(t, s, "x.json")), keys(p)[1])
		must(t, s.Reject(back, because())) // and once more
		name, err = retry(s, onlyRejected(t, s))
		must(t, err)
		wantNames(t, batch+": keys the second time", keys(read(t, s, name)), keys(p)[0])
	}
}

// A producer that uses a name again makes a new file; both must be delivered, under different keys.
func TestRetryNeverOverwritesAndStillKeepsKeys(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	want := map[string]string{} // body by key
	for _, body := range []string{`1`, `2`, `3`, `4`} {
		write(t, dir, "x.json", body, 0)
		p := read(t, s, "x.json")
		want[keys(p)[0]] = body
		must(t, s.Reject(p, because()))
	}
	write(t, dir, "x.json", `5`, 0)
	want[keys(read(t, s, "x.json"))[0]] = `5`
	rejected, err := s.Rejected()
	must(t, err)
	for _, r := range rejected {
		_, err := retry(s, r)
		must(t, err)
	}
	for e := range scan(t, s).Entries.All() {
		p := read(t, s, e.Name)
		if key := keys(p)[0]; want[key] != string(p.Data) {
			t.Errorf("%s holds %s under the key of %q", e.Name, p.Data, want[key])
		} else {
			delete(want, key)
		}
	}
	if len(want) != 0 {
		t.Errorf("lost: %v", want)
	}
	wantNames(t, "in rejected/", list(t, dir, "rejected"))
}

// The same payload may be rejected twice, and both be put back.
func TestEqualRejectedFilesAllComeBack(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	var key string
	for range 4 {
		write(t, dir, "x.json", `1`, 0)
		p := read(t, s, "x.json")
		key = keys(p)[0]
		must(t, s.Reject(p, because()))
	}
	rejected, err := s.Rejected()
	must(t, err)
	for _, r := range rejected {
		name, err := retry(s, r)
		must(t, err)
		wantNames(t, name, keys(read(t, s, name)), key)
	}
	if n := scan(t, s).Files; n != 4 {
		t.Errorf("%d of 4 came back", n)
	}
}

func TestRetryWithoutAReasonKeepsTheName(t *testing.T) {
	for _, reason := range []string{"", "{", `{"file":""}`, `{"file":"x.json","item":1}`, `{"file":"\"\\q"}`} {
		s, dir := newSpool(t, spool.Config{})
		write(t, dir, "x.json", `{}`, 0)
		p := read(t, s, "x.json")
		must(t, s.Reject(p, because()))
		write(t, dir, "rejected/x.json.reason.json", reason, 0)
		name, err := retry(s, onlyRejected(t, s))
		if strings.HasSuffix(reason, `q"}`) { // a name that matches no pattern
			wantText(t, reason, err, "no free name")
			continue
		}
		if err != nil || name != "x.json" {
			t.Errorf("with the reason %q it came back as %q, %v", reason, name, err)
			continue
		}
		wantNames(t, "keys", keys(read(t, s, name)), keys(p)...)
	}
}

// A reason is a file that others may have written.
func TestAReasonCannotSendAPayloadElsewhere(t *testing.T) {
	for _, reason := range []string{
		`{"file":"../escaped.json"}`, `{"file":"/tmp/escaped.json"}`, `{"file":"rejected/y.json"}`, `{"file":".."}`, `{"file":".hidden.json"}`,
		`{"file":"\"..\\/y.json\""}`, `{"file":"nul\u0000.json"}`,
		`{"file":"taken.json","idempotency_key":"../../../../../escaped0123456789"}`,
	} {
		s, dir := newSpool(t, spool.Config{})
		write(t, dir, "x.json", `{"precious":1}`, 0)
		must(t, s.Reject(read(t, s, "x.json"), because()))
		write(t, dir, "rejected/x.json.reason.json", reason, 0)
		write(t, dir, "taken.json", `{"mine":1}`, 0)
		name, err := retry(s, onlyRejected(t, s))
		where := filepath.Join(dir, "rejected", "x.json")
		if err == nil {
			if strings.Contains(name, "/") || strings.HasPrefix(name, ".") {
				t.Errorf("%s sent it to %q", reason, name)
			}
			where = filepath.Join(dir, name)
		}
		if got := content(t, where); got != `{"precious":1}` {
			t.Errorf("%s: %s holds %q", reason, where, got)
		}
		if got := content(t, dir, "taken.json"); got != `{"mine":1}` {
			t.Errorf("%s overwrote a payload file with %q", reason, got)
		}
	}
}

func TestRetryOfLongNamesKeepsKeys(t *testing.T) {
	name := strings.Repeat("n", 250) + ".json"
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, name, `[1,2,2]`, 0)
	p := read(t, s, name)
	for i := range p.Items {
		must(t, s.RejectItem(p, i, because()))
	}
	must(t, s.Remove(p))
	rejected, err := s.Rejected()
	must(t, err)
	var got []string
	for _, r := range rejected {
		back, err := retry(s, r)
		must(t, err)
		got = append(got, keys(read(t, s, back))...)
	}
	slices.Sort(got)
	wantNames(t, "keys", got, slices.Sorted(slices.Values(keys(p)))...)
}

func TestRetryOfWhatIsGoneSaysSo(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", `{}`, 0)
	must(t, s.Reject(read(t, s, "x.json"), because()))
	r := onlyRejected(t, s)
	must(t, os.Remove(filepath.Join(dir, "rejected", "x.json")))
	if name, err := retry(s, r); !errors.Is(err, spool.ErrVanished) {
		t.Errorf("came back as %q, %v", name, err)
	}
	none, _ := newSpool(t, spool.Config{})
	if _, err := retry(none, r); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("from a spool that has rejected nothing: %v", err)
	}
}

// A payload that would come back under a name that no run looks for stays where it is.
func TestRetryRefusesNamesOutsideThePattern(t *testing.T) {
	s, dir := newSpool(t, spool.Config{Pattern: "only.json"})
	write(t, dir, "only.json", `[1,2]`, 0)
	must(t, s.RejectItem(read(t, s, "only.json"), 0, because()))
	r := onlyRejected(t, s)
	_, err := retry(s, r)
	wantText(t, "a name outside the pattern", err, r.Name, "only.json")
	if got := content(t, dir, "rejected", r.Name); got != "1" {
		t.Errorf("it holds %q", got)
	}
	if reasonOf(t, dir, r.Name)["status"] != 422.0 {
		t.Error("its reason is gone")
	}
}
