package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/spool"
)

func TestErrorsOfTheSpoolComeWithAHint(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "rejected")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	open := func(dir string) error {
		_, err := spool.Open(spool.Config{Dir: dir})
		return err
	}
	sp, err := spool.Open(spool.Config{Dir: dir, MaxFileSize: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer sp.Close()
	put := func(cfg spool.PutConfig, payload string) error {
		_, err := sp.Put(cfg, time.Now(), strings.NewReader(payload))
		return err
	}
	_, noDirectory := sp.Rejected()
	for _, test := range []struct {
		name string
		err  error
		hint string
	}{
		{"a spool that does not exist", open(filepath.Join(dir, "missing")), "--spool"},
		{"a spool that is a file", open(file), "--spool"},
		{"a state that was set aside", &breaker.Anomaly{Path: "/", Cause: syscall.EACCES, KeptAs: "/state.corrupt"}, ""},
		{"a home directory that no shell has seen", open("~/spool"), "write the whole path"},
		{"an immutable spool", &spool.PreflightError{Err: syscall.EPERM}, "lsattr"},
		{"a read-only spool", &spool.PreflightError{Err: syscall.EROFS}, "nothing was sent"},
		{"a file in the place of rejected/", noDirectory, "a real directory"},
		{"a rejected/ of root's", &spool.RejectedDirError{Err: syscall.EACCES}, "chown"},
		{"a rejected/ that is another mount", &spool.RejectedDirError{Name: "x.json", Err: syscall.EXDEV}, "mount of its own"},
		{"no inode for a reason", &spool.RejectedDirError{Name: "x.json", Err: syscall.ENOSPC}, "df -i"},
		{"a read-only disk", &spool.RejectedDirError{Name: "x.json", Err: syscall.EROFS}, "read-only"},
		{"a full spool", put(spool.PutConfig{MaxSpoolBytes: 1}, "{}"), "--max-spool-bytes"},
		{"a payload that is too large", put(spool.PutConfig{}, "12345"), "--max-file-size"},
		{"a payload that is not JSON", put(spool.PutConfig{}, "{"), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			switch got := hintOf(test.err); {
			case test.err == nil:
				t.Error("there was no error")
			case test.hint == "" && got != "", !strings.Contains(got, test.hint):
				t.Errorf("the hint of %q is %q, want %q in it", test.err, got, test.hint)
			}
		})
	}
}
