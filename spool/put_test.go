package spool_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

// The set-group-ID bit gives the spool's group to new files, for a run that is not their owner.
func TestPutLetsTheGroupOfASetGroupIDSpoolRead(t *testing.T) {
	for dirMode, want := range map[os.FileMode]os.FileMode{0o770: 0o600, 0o770 | os.ModeSetgid: 0o640} {
		dir := t.TempDir()
		must(t, os.Chmod(dir, dirMode))
		s, _ := newSpool(t, spool.Config{Dir: dir})
		name, err := s.Put(spool.PutConfig{}, noon, strings.NewReader("{}"))
		must(t, err)
		info, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		if info.Mode() != want {
			t.Errorf("in a spool of mode %v it has mode %v, want %v", dirMode, info.Mode(), want)
		}
	}
}

func TestPutSpoolsThePayloadAsItIs(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	text := " {\"a\" : 1.0e0, \"b\":\"\\u00e9\xff\"}\n"
	name, err := s.Put(spool.PutConfig{}, noon, strings.NewReader(text))
	must(t, err)
	if !regexp.MustCompile(`^put_20261122T120000\.000000000Z_[0-9a-f]{8}\.json$`).MatchString(name) {
		t.Errorf("the name is %q", name)
	}
	wantNames(t, "in the spool", list(t, dir), name)
	if got := content(t, dir, name); got != text {
		t.Errorf("it holds %q", got)
	}
	if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.Mode() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	wantNames(t, "a run finds", names(scan(t, s).Entries), name)
}

func TestNamesFromPutSortByTime(t *testing.T) {
	s, _ := newSpool(t, spool.Config{})
	var got []string
	zone := time.FixedZone("elsewhere", -8*3600)
	for _, now := range []time.Time{
		time.Unix(0, 0), time.Unix(999_999_999, 999_999_999), time.Unix(1_000_000_000, 0), noon.Add(-time.Nanosecond), noon.In(zone),
		noon.Add(time.Nanosecond), noon.Add(time.Hour),
	} {
		name, err := s.Put(spool.PutConfig{}, now, strings.NewReader("{}"))
		must(t, err)
		got = append(got, name)
	}
	if !slices.IsSorted(got) {
		t.Errorf("not sorted: %q", got)
	}
}

// A reader that is not the producer depends on the mode, whatever the umask.
func TestPutSetsTheModeInSpiteOfTheUmask(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	s, dir := newSpool(t, spool.Config{})
	name, err := s.Put(spool.PutConfig{Mode: 0o664, Prefix: "my app"}, noon, strings.NewReader("{}"))
	must(t, err)
	if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.Mode() != 0o664 || !strings.HasPrefix(name, "my app_") {
		t.Errorf("%q has the mode %v, %v", name, st.Mode(), err)
	}
}

func TestPutRefusesWhatWouldOnlyBeRejected(t *testing.T) {
	for _, tt := range []struct {
		name, payload string
		cfg           spool.Config
		put           spool.PutConfig
		says          string // "": accepted
	}{
		{name: "an array", payload: `[{"a":1}]`},
		{name: "exactly as large as allowed", payload: `"2345678"`, cfg: spool.Config{MaxFileSize: 9}},
		{name: "no limit to speak of", payload: `1`, cfg: spool.Config{MaxFileSize: math.MaxInt64}},
		{name: "not JSON, raw", payload: "\x00", cfg: spool.Config{Raw: true}},
		{name: "nothing", payload: "", says: "it is empty"},
		{name: "nothing, raw", payload: "", cfg: spool.Config{Raw: true}, says: "it is empty"},
		{name: "one byte too large", payload: `"23456789"`, cfg: spool.Config{MaxFileSize: 9}, says: "more than the 9 bytes that are allowed"},
		{name: "not JSON", payload: `{"a":`, says: "it is not valid JSON"},
		{name: "white space", payload: "\n", says: "it is not valid JSON"},
		{name: "two values", payload: "{}{}", says: "it is not valid JSON"},
		{name: "a name that the pattern does not match", payload: `1`, cfg: spool.Config{Pattern: "buffer_*.json"}, says: "would not match the pattern buffer_*.json"},
		{name: "a name that the pattern matches", payload: `1`, cfg: spool.Config{Pattern: "buffer_*.json"}, put: spool.PutConfig{Prefix: "buffer"}},
		{name: "a name in another directory", payload: `1`, put: spool.PutConfig{Prefix: "../x"}, says: `cannot begin with "../x"`},
		{name: "a name with a dot", payload: `1`, put: spool.PutConfig{Prefix: "."}, says: "would not match"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, dir := newSpool(t, tt.cfg)
			name, err := s.Put(tt.put, noon, strings.NewReader(tt.payload))
			if tt.says == "" {
				must(t, err)
				if got := content(t, dir, name); got != tt.payload {
					t.Errorf("it holds %q", got)
				}
				return
			}
			if !errors.Is(err, spool.ErrInvalid) || name != "" {
				t.Errorf("put as %q, %v", name, err)
			}
			wantText(t, tt.name, err, tt.says)
			wantNames(t, "in the spool", list(t, dir))
		})
	}
}

func TestPutReportsWhatTheReaderReports(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	_, err := s.Put(spool.PutConfig{}, noon, io.MultiReader(strings.NewReader("{}"), iotest.ErrReader(io.ErrUnexpectedEOF)))
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
	wantNames(t, "in the spool", list(t, dir))
}

func TestPutKeepsToItsLimits(t *testing.T) {
	for _, tt := range []struct {
		name string
		put  spool.PutConfig
		full bool
	}{
		{"no limits", spool.PutConfig{}, false},
		{"the last file allowed", spool.PutConfig{MaxSpoolFiles: 4}, false},
		{"one file too many", spool.PutConfig{MaxSpoolFiles: 3}, true},
		{"the last byte allowed", spool.PutConfig{MaxSpoolBytes: 32}, false},
		{"one byte too many", spool.PutConfig{MaxSpoolBytes: 31}, true},
		{"as many bytes as the payload has alone", spool.PutConfig{MaxSpoolBytes: 2}, true},
		{"fewer bytes than the payload has", spool.PutConfig{MaxSpoolBytes: 1}, true},
		{"files too many although bytes are not", spool.PutConfig{MaxSpoolFiles: 3, MaxSpoolBytes: 1000}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, dir := newSpool(t, spool.Config{})
			for i := range 3 {
				write(t, dir, fmt.Sprintf("%d.json", i), `"23456789"`, 0)
			}
			write(t, dir, "not a payload file", "1234567890", 0)
			write(t, dir, "link.json.target", "1234567890", 0)
			must(t, os.Symlink("link.json.target", filepath.Join(dir, "link.json")))
			before := list(t, dir)
			_, err := s.Put(tt.put, noon, strings.NewReader("{}"))
			if errors.Is(err, spool.ErrFull) != tt.full || !tt.full && err != nil {
				t.Errorf("put: %v", err)
			}
			if tt.full {
				wantText(t, tt.name, err, dir, "the spool is full: ", "the limit is")
				wantNames(t, "in the spool", list(t, dir), before...)
			}
		})
	}
}

func TestPutSaysWhenTheSpoolMayNotBeWritten(t *testing.T) {
	asNobody(t, func(t *testing.T, dir string) {
		must(t, os.Chmod(dir, 0o555))
	}, func(t *testing.T, dir string) {
		s, _ := newSpool(t, spool.Config{Dir: dir})
		_, err := s.Put(spool.PutConfig{}, noon, strings.NewReader("{}"))
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("got %v", err)
		}
		wantText(t, "a directory that may not be written", err, dir)
	})
}

// While producers put at the same instant, a run looks again and again. It must see whole payloads
// only, and in the end all of them.
func TestTwentyPutsAtOnceLoseNothing(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	const producers, each = 20, 10
	var wg sync.WaitGroup
	for i := range producers {
		wg.Go(func() {
			for n := range each {
				body := fmt.Sprintf(`{"producer":%d,"n":%d,"pad":%q}`, i, n, strings.Repeat("x", 10_000))
				if _, err := s.Put(spool.PutConfig{}, noon, strings.NewReader(body)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	seen := map[string]bool{}
	for last := false; !last; {
		select {
		case <-done:
			last = true
		default:
		}
		for e := range scan(t, s).Entries.All() {
			p, err := s.Read(e, noon, nil)
			if err != nil {
				t.Fatalf("a payload in the middle of being put was found: %v", err)
			}
			seen[string(p.Data)] = true
			must(t, s.Remove(p))
		}
	}
	if len(seen) != producers*each {
		t.Errorf("%d of %d payloads arrived", len(seen), producers*each)
	}
	wantNames(t, "left", list(t, dir))
}
