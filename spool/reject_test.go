package spool_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

// because is a reason with all that the caller fills in.
func because() spool.Reason {
	first := noon.Add(-time.Hour)
	return spool.Reason{
		Time: noon, Attempts: 10, First: &first, Status: 422,
		Answer: "no \x1b[1m<b>such</b>\nfield", Error: "the listener answered 422",
	}
}

// reasonOf reads a reason as any other program would.
func reasonOf(t *testing.T, dir, name string) map[string]any {
	t.Helper()
	var r map[string]any
	must(t, json.Unmarshal([]byte(content(t, dir, spool.RejectedDir, name+".reason.json")), &r))
	return r
}

func TestRejectMovesTheFileBesideItsReason(t *testing.T) {
	s, dir := newSpool(t, spool.Config{HostID: "m"})
	write(t, dir, "x.json", `{"a":1}`, time.Hour+time.Nanosecond)
	must(t, os.Chmod(filepath.Join(dir, "x.json"), 0o640))
	must(t, s.Reject(read(t, s, "x.json"), because()))
	wantNames(t, "in the spool", list(t, dir), "rejected")
	wantNames(t, "in rejected/", list(t, dir, "rejected"), "x.json", "x.json.reason.json")
	if got := content(t, dir, "rejected", "x.json"); got != `{"a":1}` {
		t.Errorf("the payload is now %q", got)
	}
	st, err := os.Stat(filepath.Join(dir, "rejected", "x.json"))
	must(t, err)
	if st.Mode() != 0o640 || !st.ModTime().Equal(noon.Add(-time.Hour-time.Nanosecond)) {
		t.Errorf("mode %v, time %v", st.Mode(), st.ModTime())
	}
	st, err = os.Stat(filepath.Join(dir, "rejected"))
	must(t, err)
	if st.Mode().Perm() != 0o700 {
		t.Errorf("rejected/ has the mode %v", st.Mode())
	}
	want := map[string]any{
		"file": "x.json", "idempotency_key": spool.Key("m", "x.json", []byte(`{"a":1}`), 0),
		"time": "2026-11-22T12:00:00Z", "attempts": 10.0, "first_attempt": "2026-11-22T11:00:00Z", "status": 422.0,
		"answer": "no \x1b[1m<b>such</b>\nfield", "error": "the listener answered 422",
	}
	got := reasonOf(t, dir, "x.json")
	for key := range want {
		if got[key] != want[key] {
			t.Errorf("%s is %v, want %v", key, got[key], want[key])
		}
	}
	if len(got) != len(want) {
		t.Errorf("the reason has other keys: %v", got)
	}
}

// Reasons are read with cat: nothing in them may talk to the terminal.
func TestReasonsHoldNoControlCharacters(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", `{}`, 0)
	must(t, s.Reject(read(t, s, "x.json"), because()))
	if raw := content(t, dir, "rejected", "x.json.reason.json"); strings.ContainsAny(raw, "\x1b\x07\r\x00") {
		t.Errorf("the reason holds control characters: %q", raw)
	}
}

func TestRejectNeverOverwrites(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	for _, body := range []string{`{"day":1}`, `{"day":2}`, `{"day":3}`} {
		write(t, dir, "x.json", body, 0)
		must(t, s.Reject(read(t, s, "x.json"), spool.Reason{Answer: body}))
	}
	for name, body := range map[string]string{"x.json": `{"day":1}`, "x.2.json": `{"day":2}`, "x.3.json": `{"day":3}`} {
		if got := content(t, dir, "rejected", name); got != body {
			t.Errorf("%s holds %q, want %q", name, got, body)
		}
		if r := reasonOf(t, dir, name); r["answer"] != body || r["file"] != "x.json" {
			t.Errorf("the reason of %s is %v", name, r)
		}
	}
}

// A payload file may have the very name that the reason of another would get.
func TestAPayloadWithAReasonsNameIsNotTakenForOne(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	for _, name := range []string{"x.json.reason.json", "x.json", "x.json.reason.json.reason.json"} {
		write(t, dir, name, `{"i am":"`+name+`"}`, 0)
		must(t, s.Reject(read(t, s, name), spool.Reason{}))
	}
	rejected, err := s.Rejected()
	must(t, err)
	if len(rejected) != 3 {
		t.Fatalf("%d of 3 payloads are listed: %v", len(rejected), rejected)
	}
	for _, r := range rejected {
		file := s.Reason(r).File
		name, err := retry(s, r)
		must(t, err)
		if got := content(t, dir, name); name != file || got != `{"i am":"`+name+`"}` {
			t.Errorf("%s came back as %s, holding %s", file, name, got)
		}
	}
}

func TestOddNamesAreRejectedAndPutBack(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	for _, name := range oddNames {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(`{}`), 0o600); err != nil {
			t.Logf("%q is left out: %v", name, err)
			continue
		}
		p := read(t, s, name)
		must(t, s.Reject(p, spool.Reason{}))
		rejected, err := s.Rejected()
		must(t, err)
		if len(rejected) != 1 || spool.DecodeName(s.Reason(rejected[0]).File) != name {
			t.Fatalf("%q is listed as %+v", name, rejected)
		}
		back, err := retry(s, rejected[0])
		if err != nil || back != name {
			t.Fatalf("%q came back as %q, %v", name, back, err)
		}
		again := read(t, s, name)
		wantNames(t, "keys", keys(again), keys(p)...)
		must(t, s.Remove(again))
		wantNames(t, "in rejected/", list(t, dir, "rejected"))
	}
}

func TestRejectLeavesAloneWhatIsNoLongerTheFileThatWasRead(t *testing.T) {
	for _, tt := range disturbances {
		t.Run(tt.name, func(t *testing.T) {
			s, dir := newSpool(t, spool.Config{})
			write(t, dir, "x.json", `[1,2,3]`, time.Hour)
			p := read(t, s, "x.json")
			tt.disturb(t, filepath.Join(dir, "x.json"))
			before := snapshot(t, dir)
			if err := s.Reject(p, because()); !errors.Is(err, tt.want) {
				t.Errorf("reject: %v, want %v", err, tt.want)
			}
			wantNames(t, "the spool", snapshot(t, dir), before...)
		})
	}
}

// A crash between reason and move leaves a reason without a payload.
func TestAReasonWithoutAPayloadIsReplaced(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	must(t, os.Mkdir(filepath.Join(dir, "rejected"), 0o700))
	write(t, dir, "rejected/x.json.reason.json", `{"file":"x.json","error":"of the crash"}`, 0)
	write(t, dir, "x.json", `{}`, 0)
	if r := onlyRejected(t, s); !r.Orphan || r.Name != "x.json" {
		t.Errorf("a reason without a payload is listed as %+v", r)
	}
	if files, _, err := s.CountRejected(); files != 0 || err != nil {
		t.Errorf("%d payloads are counted, %v", files, err)
	}
	must(t, s.Reject(read(t, s, "x.json"), spool.Reason{Error: "new"}))
	wantNames(t, "in rejected/", list(t, dir, "rejected"), "x.json", "x.json.reason.json")
	if r := reasonOf(t, dir, "x.json"); r["error"] != "new" {
		t.Errorf("the reason is %v", r)
	}
}

// Somebody may have put something in rejected/'s place, to be written through or to be replaced.
func TestRejectedMustBeADirectoryOfItsOwn(t *testing.T) {
	for name, occupy := range map[string]func(path string) error{
		"a file":                  func(path string) error { return os.WriteFile(path, []byte("mine"), 0o600) },
		"a link to a directory":   func(path string) error { return os.Symlink(os.TempDir(), path) },
		"a dangling link":         func(path string) error { return os.Symlink("nowhere", path) },
		"a link to the directory": func(path string) error { return os.Symlink(".", path) },
		"a FIFO":                  func(path string) error { return syscall.Mkfifo(path, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := newSpool(t, spool.Config{})
			must(t, occupy(filepath.Join(dir, "rejected")))
			write(t, dir, "x.json", `[1,2]`, 0)
			p := read(t, s, "x.json")
			before := snapshot(t, dir)
			for what, err := range map[string]error{"reject": s.Reject(p, because()), "reject an item": s.RejectItem(p, 0, because())} {
				wantText(t, what, err, dir+"/rejected: not a directory")
			}
			if list, err := s.Rejected(); err == nil {
				t.Errorf("it was listed: %v", list)
			}
			if _, _, err := s.CountRejected(); err == nil {
				t.Error("it was counted")
			}
			wantNames(t, "the spool", snapshot(t, dir), before...)
		})
	}
}

func TestAnArrayFileIsRejectedWithoutAKey(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", `[1,2]`, 0)
	must(t, s.Reject(read(t, s, "x.json"), spool.Reason{Key: "made up"}))
	if r := reasonOf(t, dir, "x.json"); r["idempotency_key"] != nil {
		t.Errorf("the reason is %v", r)
	}
}
