package main

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// Root may run commands by hand on a machine where the service has never run. Root then leaves
// nothing that the service cannot use.
func TestTheServiceCanUseWhatRootsCommandsHaveMade(t *testing.T) {
	const handedDown = "SPOOLFWD_TEST_SERVICE"
	if dir := os.Getenv(handedDown); dir != "" {
		w := newWorld(t)
		w.spool, w.state = dir+"/spool", dir+"/state"
		w.do("run").wantCode(t, exit.Left).wantSilence(t) // tripped by root
		w.do("breaker reset").wantCode(t, exit.OK)
		w.answer(http.StatusInternalServerError)
		w.do("run").wantCode(t, exit.Left)
		w.answer(http.StatusOK)
		w.do("run").wantCode(t, exit.OK)
		w.do("rejected retry", "--all").wantCode(t, exit.OK)
		if got := w.left(); strings.Join(got, " ") != "bad.json rejected" {
			t.Errorf("the spool holds %q, want the retried payload only", got)
		}
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, who gives files away")
	}
	for _, first := range []string{"flush", "breaker trip"} {
		t.Run(first, func(t *testing.T) {
			w := newWorld(t)
			dir := ofNobody(t)
			w.spool, w.state = dir+"/spool", dir+"/state"
			w.put("a.json", `[1,2]`)
			w.put("bad.json", `no json`)
			for _, name := range w.left() {
				if err := os.Chown(w.spool+"/"+name, nobody, nobody); err != nil {
					t.Fatal(err)
				}
			}
			w.answer(http.StatusInternalServerError) // defers: there is an index to save
			w.do(first)
			w.do("breaker reset").wantCode(t, exit.OK)
			r := w.do("flush")
			wantText(t, "standard output", r.stdout, "2 failed")
			w.do("breaker trip").wantCode(t, exit.OK)
			wantAllOf(t, nobody, dir)
			again(t, "^TestTheServiceCanUseWhatRootsCommandsHaveMade$", handedDown+"="+dir)
		})
	}
}

// ofNobody makes a directory that is nobody's with an empty spool in it.
func ofNobody(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "spoolfwd-service")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Mkdir(dir+"/spool", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{dir, dir + "/spool"} {
		if err := os.Chown(d, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// wantAllOf fails for everything in a directory that belongs to another user.
func wantAllOf(t *testing.T, uid int, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if got := int(info.Sys().(*syscall.Stat_t).Uid); got != uid {
			t.Errorf("%s belongs to uid %d, not %d", path, got, uid)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
