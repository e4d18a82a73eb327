package spool_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

// CIFS, vfat and sshfs refuse times, modes or owners; some of FUSE have neither hard links nor a
// rename that never replaces. A payload must get on all the same, and nothing may be overwritten.
func TestEveryStepWorksOnFileSystemsThatRefuseSomeCalls(t *testing.T) {
	for _, tt := range []struct {
		name     string
		refusals []refusal
	}{
		{"no times", []refusal{noTimes}},
		{"no times, modes or owners", []refusal{noTimes, noModes, noOwners}},
		{"no exclusive rename", []refusal{noRenameNew}},
		{"no exclusive rename and no links", []refusal{noRenameNew, noLinks}},
		{"nothing of that", []refusal{noTimes, noModes, noOwners, noRenameNew, noLinks}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refusing(t, tt.refusals, func(t *testing.T) {
				s, dir := newSpool(t, spool.Config{})

				name, err := s.Put(spool.PutConfig{}, noon, strings.NewReader(`{"put":1}`))
				must(t, err)
				if got := content(t, dir, name); got != `{"put":1}` {
					t.Errorf("what was put holds %q", got)
				}

				must(t, os.WriteFile(filepath.Join(dir, "x.json"), []byte(`[1,2,3]`), 0o600))
				must(t, s.Rewrite(read(t, s, "x.json"), []int{1, 2}))
				p := read(t, s, "x.json")
				must(t, s.RejectItem(p, 0, because()))
				item := filepath.Join("rejected", "x.key-"+p.Items[0].Key+".json")
				if got := content(t, dir, item); got != "2" {
					t.Errorf("the rejected item holds %q", got)
				}

				for day := range 2 {
					must(t, os.WriteFile(filepath.Join(dir, "y.json"), fmt.Appendf(nil, `{"day":%d}`, day), 0o600))
					must(t, s.Reject(read(t, s, "y.json"), because()))
				}
				must(t, os.WriteFile(filepath.Join(dir, "y.json"), []byte(`{"day":2}`), 0o600))
				for _, r := range mustList(t, s) {
					if !strings.HasPrefix(r.Name, "y") {
						continue
					}
					before := content(t, dir, "rejected", r.Name)
					back, err := retry(s, r)
					must(t, err)
					if got := content(t, dir, back); back == "y.json" || got != before {
						t.Errorf("%s came back as %s, holding %q instead of %q", r.Name, back, got, before)
					}
				}
				if got := content(t, dir, "y.json"); got != `{"day":2}` {
					t.Errorf("a file in the spool was overwritten: %q", got)
				}
				if entries := list(t, dir); len(entries) != 6 { // put, x, three of y, rejected/
					t.Errorf("in the spool: %q", entries)
				}
				wantNames(t, "in rejected/", list(t, dir, "rejected"), filepath.Base(item), filepath.Base(item)+".reason.json")
			})
		})
	}
}

// The two calls are needed as they are: were they not refused, this test would prove nothing.
func TestTheSimulatedFileSystemRefusesItsCalls(t *testing.T) {
	refusing(t, []refusal{noTimes, noLinks}, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		must(t, os.WriteFile(path, nil, 0o600))
		if os.Chtimes(path, time.Now(), time.Now()) == nil || os.Link(path, path+"2") == nil {
			t.Error("times can be set or files linked")
		}
	})
}
