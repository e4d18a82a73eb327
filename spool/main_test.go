package spool_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bitville-apm/spoolfwd/spool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is when the tests take place.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// newSpool opens a spool in a directory of its own.
func newSpool(t testing.TB, cfg spool.Config) (*spool.Spool, string) {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	s, err := spool.Open(cfg)
	if err != nil {
		t.Fatalf("the spool could not be opened: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s, cfg.Dir
}

// lockedSpool opens a spool as a run does.
func lockedSpool(t testing.TB, cfg spool.Config) (*spool.Spool, string) {
	t.Helper()
	s, dir := newSpool(t, cfg)
	if !s.TryLock() {
		t.Fatal("the spool could not be locked")
	}
	return s, dir
}

// write makes a payload file that was last modified so long before noon.
func write(t testing.TB, dir, name, content string, age time.Duration) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	setAge(t, path, age)
}

func setAge(t testing.TB, path string, age time.Duration) {
	t.Helper()
	mtime := noon.Add(-age)
	if err := os.Chtimes(path, mtime, mtime); err != nil {
		t.Fatal(err)
	}
}

// content returns what a file holds.
func content(t testing.TB, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// list returns the names in a directory, dotfiles too.
func list(t testing.TB, path ...string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func wantNames(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func scan(t testing.TB, s *spool.Spool) spool.Page {
	t.Helper()
	w, err := s.Scan(spool.Entry{}, 0)
	if err != nil {
		t.Fatalf("scan: %v", err)
	}
	return w
}

func names(entries spool.Entries) []string {
	names := make([]string, 0, entries.Len())
	for e := range entries.All() {
		names = append(names, e.Name)
	}
	return names
}

// read reads a payload file by its name.
func read(t testing.TB, s *spool.Spool, name string) *spool.Payload {
	t.Helper()
	p, err := s.Read(spool.Entry{Name: name}, noon, nil)
	if err != nil {
		t.Fatalf("read %q: %v", name, err)
	}
	return p
}

func bodies(p *spool.Payload) []string {
	bodies := []string{}
	for _, it := range p.Items {
		bodies = append(bodies, string(it.Body))
	}
	return bodies
}

func keys(p *spool.Payload) []string {
	keys := []string{}
	for _, it := range p.Items {
		keys = append(keys, it.Key)
	}
	return keys
}

// wantText checks that an error's text holds what a person needs to know.
func wantText(t testing.TB, what string, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: the error does not say %q: %v", what, part, err)
		}
	}
}
