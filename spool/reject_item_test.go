package spool_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

func TestRejectItemCopiesTheItemIntoAFileOfItsOwn(t *testing.T) {
	s, dir := newSpool(t, spool.Config{HostID: "m"})
	const batch = `[{"a":1}, { "b" : 2 } ,{"c":3}]`
	write(t, dir, "x.json", batch, time.Hour)
	p := read(t, s, "x.json")
	must(t, s.RejectItem(p, 1, because()))
	name := "x.key-" + p.Items[1].Key + ".json"
	wantNames(t, "in rejected/", list(t, dir, "rejected"), name, name+".reason.json")
	if got := content(t, dir, "rejected", name); got != `{ "b" : 2 }` {
		t.Errorf("the item is now %q", got)
	}
	if got := content(t, dir, "x.json"); got != batch {
		t.Errorf("the batch is now %q", got)
	}
	r := reasonOf(t, dir, name)
	if r["file"] != "x.json" || r["item"] != 2.0 || r["idempotency_key"] != p.Items[1].Key || r["status"] != 422.0 {
		t.Errorf("the reason is %v", r)
	}
	st, err := os.Stat(filepath.Join(dir, "rejected", name))
	must(t, err)
	if !st.ModTime().Equal(noon.Add(-time.Hour)) || st.Mode() != 0o600 {
		t.Errorf("time %v, mode %v", st.ModTime(), st.Mode())
	}
	must(t, s.Rewrite(p, []int{0, 2})) // nothing that was done so far changed the file
}

// A crash before the item is cut out of its batch brings it up again.
func TestRejectItemAgainFindsTheCopyAndRenewsTheReason(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", `[1,2]`, 0)
	must(t, s.RejectItem(read(t, s, "x.json"), 0, spool.Reason{Attempts: 1}))
	p := read(t, s, "x.json")
	must(t, s.RejectItem(p, 0, spool.Reason{Attempts: 2}))
	name := "x.key-" + p.Items[0].Key + ".json"
	wantNames(t, "in rejected/", list(t, dir, "rejected"), name, name+".reason.json")
	wantNames(t, "in the spool", list(t, dir), "rejected", "x.json")
	if r := reasonOf(t, dir, name); r["attempts"] != 2.0 {
		t.Errorf("the reason is %v", r)
	}
}

func TestEqualItemsAreRejectedIntoFilesOfTheirOwn(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", `["same","same","same"]`, 0)
	p := read(t, s, "x.json")
	for i := range p.Items {
		must(t, s.RejectItem(p, i, spool.Reason{}))
	}
	must(t, s.Remove(p))
	rejected, err := s.Rejected()
	must(t, err)
	if len(rejected) != 3 {
		t.Errorf("3 equal items became %d", len(rejected))
	}
}

// The bytes were sent and refused; that the file is gone does not undo that.
func TestAnItemCanBeRejectedAfterItsFileIsGone(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", `[1,2]`, 0)
	p := read(t, s, "x.json")
	must(t, os.Remove(filepath.Join(dir, "x.json")))
	must(t, s.RejectItem(p, 0, spool.Reason{}))
	if got := content(t, dir, "rejected", "x.key-"+p.Items[0].Key+".json"); got != "1" {
		t.Errorf("the item is now %q", got)
	}
}

// The next scan must find the temporary files that a crash leaves behind while rejecting.
func TestRejectingMakesItsTemporariesInTheSpool(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", `[1,2]`, 0)
	p := read(t, s, "x.json")
	must(t, s.RejectItem(p, 0, spool.Reason{}))
	// A directory where the copy's reason belongs fails the step that follows the temporary.
	blocked := filepath.Join(dir, "rejected", "x.key-"+p.Items[1].Key+".json.reason.json")
	must(t, os.MkdirAll(filepath.Join(blocked, "full"), 0o700))
	err := s.RejectItem(p, 1, spool.Reason{})
	wantText(t, "a reason that cannot be written", err, filepath.Join(dir, "rejected"), filepath.Base(blocked))
	wantNames(t, "in the spool", list(t, dir), "rejected", "x.json")
	if n := len(list(t, dir, "rejected")); n != 3 {
		t.Errorf("%d files in rejected/, want 3: %q", n, list(t, dir, "rejected"))
	}
}
