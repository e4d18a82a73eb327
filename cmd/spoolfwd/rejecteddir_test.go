package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// A payload that cannot be moved to rejected/ stays in the spool, and the others are delivered. run
// and check name the same cause, the same remedy and the same exit code.
func TestRunAndCheckAgreeAboutAnUnusableRejectedDirectory(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(path string) error
		root bool
		code exit.Code
		says []string
	}{
		{"a file", func(path string) error { return os.WriteFile(path, nil, 0o600) }, false, exit.Config,
			[]string{"not a directory", "rejected payloads need a real directory of that name"}},
		{"a symbolic link", func(path string) error { return os.Symlink("/tmp", path) }, false, exit.Config,
			[]string{"not a directory", "rejected payloads need a real directory of that name"}},
		{"writable for everybody", func(path string) error {
			if err := os.Mkdir(path, 0o700); err != nil {
				return err
			}
			return os.Chmod(path, 0o777)
		}, false, exit.Permission, []string{"other users may write to it", "chmod 700"}},
		{"another user's", func(path string) error {
			if err := os.Mkdir(path, 0o700); err != nil {
				return err
			}
			return os.Chown(path, nobody, nobody)
		}, true, exit.Permission, []string{"it belongs to another user, uid 65534", "chown it"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.root {
				need.Root(t, "give files away")
			}
			w := newWorld(t)
			path := filepath.Join(w.spool, "rejected")
			if err := c.make(path); err != nil {
				t.Fatal(err)
			}
			w.put("bad.json", "not JSON")
			w.put("good.json", "{}")
			r := w.do("run").wantCode(t, c.code)
			wantText(t, "run", r.stderr, append(c.says, path)...)
			if n := len(w.received()); n != 1 {
				t.Errorf("%d payloads were delivered, want the good one", n)
			}
			if _, err := os.Stat(filepath.Join(w.spool, "bad.json")); err != nil {
				t.Errorf("the bad payload is gone: %v", err)
			}
			r = w.do("check").wantCode(t, c.code)
			wantText(t, "check", r.stdout, append(c.says, path)...)
		})
	}
}
