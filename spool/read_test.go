package spool_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

func TestReadReturnsTheBytesOfTheFile(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	text := " {\"a\" : 1.0e0,\t\"b\":\"\\u00e9\xff\"}\r\n"
	write(t, dir, "x.json", text, 90*time.Second+time.Nanosecond)
	p := read(t, s, "x.json")
	if string(p.Data) != text || p.Array {
		t.Errorf("data %q, array %v", p.Data, p.Array)
	}
	if p.Size != int64(len(text)) || p.Age(noon) != 90*time.Second+time.Nanosecond {
		t.Errorf("size %d, age %v", p.Size, p.Age(noon))
	}
	wantNames(t, "the one item is the file as it stands", bodies(p), text)
}

// A file may have changed since the scan. Only the file that was opened counts.
func TestReadTrustsTheFileAndNotTheScan(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", "{}", time.Hour)
	e := scan(t, s).Entries.At(0)
	write(t, dir, "x.json", `{"longer":true}`, time.Minute)
	p, err := s.Read(e, noon, nil)
	if err != nil || string(p.Data) != `{"longer":true}` || p.Age(noon) != time.Minute {
		t.Errorf("read %q, age %v, %v", p.Data, p.Age(noon), err)
	}
}

func TestReadUsesTheBufferItIsGiven(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "small.json", "{}", 0)
	write(t, dir, "large.json", `"`+strings.Repeat("x", 5000)+`"`, 0)
	buf := make([]byte, 100, 1000)
	p, err := s.Read(spool.Entry{Name: "small.json"}, noon, buf)
	if err != nil || &p.Data[0] != &buf[0] {
		t.Errorf("a buffer that is large enough was not used: %v", err)
	}
	p, err = s.Read(spool.Entry{Name: "large.json"}, noon, buf)
	if err != nil || len(p.Data) != 5002 {
		t.Errorf("a buffer that is too small: %d bytes, %v", len(p.Data), err)
	}
}

func TestReadSaysThatAFileIsGone(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", "{}", 0)
	e := scan(t, s).Entries.At(0)
	if err := os.Remove(filepath.Join(dir, "x.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(e, noon, nil); !errors.Is(err, spool.ErrVanished) {
		t.Errorf("a file that is gone: %v", err)
	}
}

func TestReadRefusesWhatCanNeverBeSent(t *testing.T) {
	for _, tt := range []struct {
		name, content string
		cfg           spool.Config
		age           time.Duration
		reason        string // "" : read without complaint
	}{
		{name: "exactly as large as allowed", content: `"2345678"`, cfg: spool.Config{MaxFileSize: 9}},
		{name: "one byte too large", content: `"23456789"`, cfg: spool.Config{MaxFileSize: 9}, reason: "has 10 bytes, more than the 9 that are allowed"},
		{name: "one byte too large and not JSON", content: `23456789xy`, cfg: spool.Config{MaxFileSize: 9, Raw: true}, reason: "has 10 bytes"},
		{name: "no limit to speak of", content: `{}`, cfg: spool.Config{MaxFileSize: math.MaxInt64}},
		{name: "empty for ten minutes", age: 10 * time.Minute, reason: "is empty"},
		{name: "empty for ten minutes, raw", age: 10 * time.Minute, cfg: spool.Config{Raw: true}, reason: "is empty"},
		{name: "half an object", content: `{"a":`, reason: "is not valid JSON"},
		{name: "two values", content: "{}\n{}", reason: "is not valid JSON"},
		{name: "a byte order mark", content: "\xef\xbb\xbf{}", reason: "is not valid JSON"},
		{name: "NULs, as after a power cut", content: strings.Repeat("\x00", 4096), reason: "is not valid JSON"},
		{name: "white space", content: " \n", reason: "is not valid JSON"},
		{name: "an array with a comma too many", content: `[{"a":1},]`, reason: "is not valid JSON"},
		{name: "not JSON, whole", content: `nope`, cfg: spool.Config{Whole: true}, reason: "is not valid JSON"},
		{name: "not JSON, raw", content: `nope`, cfg: spool.Config{Raw: true}},
		{name: "nested without end", content: strings.Repeat("[", 1e6), reason: "is not valid JSON"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, dir := newSpool(t, tt.cfg)
			write(t, dir, "x.json", tt.content, tt.age)
			p, err := s.Read(spool.Entry{Name: "x.json"}, noon, nil)
			if tt.reason == "" {
				if err != nil || string(p.Data) != tt.content {
					t.Errorf("read %q, %v", p.Data, err)
				}
				return
			}
			var refuse *spool.RefuseError
			if !errors.As(err, &refuse) || !strings.HasPrefix(refuse.Err.Error(), tt.reason) || refuse.Name != "x.json" {
				t.Fatalf("got %v, want it refused because it %s", err, tt.reason)
			}
			if strings.HasPrefix(tt.reason, "has") && p.Data != nil {
				t.Error("a file that is too large was read all the same")
			}
			if len(p.Items) != 0 {
				t.Errorf("it has items: %q", bodies(p))
			}
			if err := s.Reject(p, spool.Reason{Error: err.Error()}); err != nil {
				t.Errorf("what Read refused could not be rejected: %v", err)
			}
		})
	}
}

// A producer may create the file under its final name and write later.
func TestEmptyFilesAreLeftAloneForTenMinutes(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	for _, age := range []time.Duration{10*time.Minute - time.Nanosecond, 0, -9 * time.Minute} {
		write(t, dir, "x.json", "", age)
		_, err := s.Read(spool.Entry{Name: "x.json"}, noon, nil)
		var skip *spool.SkipError
		if !errors.As(err, &skip) || !skip.Pending {
			t.Errorf("an empty file, %v old: %v", age, err)
		}
	}
}

func TestRawAndWholeFilesAreOneItem(t *testing.T) {
	for _, tt := range []struct {
		name, content string
		cfg           spool.Config
	}{
		{"an array file, whole", ` [{"a":1},{"a":2}] `, spool.Config{Whole: true}},
		{"an empty array, whole", `[]`, spool.Config{Whole: true}},
		{"an array file, raw", `[{"a":1},{"a":2}]`, spool.Config{Raw: true}},
		{"an empty array, raw", `[]`, spool.Config{Raw: true}},
		{"any bytes, raw", "\x00\xff[", spool.Config{Raw: true}},
		{"white space, raw", " \n", spool.Config{Raw: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, dir := newSpool(t, tt.cfg)
			write(t, dir, "x.json", tt.content, 0)
			p := read(t, s, "x.json")
			wantNames(t, "items", bodies(p), tt.content)
			if p.Array || p.Items[0].NextEqual != -1 || len(p.Items[0].Key) != 32 {
				t.Errorf("array %v, item %+v", p.Array, p.Items[0])
			}
		})
	}
}

func TestUnreadableFilesAreSkipped(t *testing.T) {
	asNobody(t, func(t *testing.T, dir string) {
		write(t, dir, "secret.json", "{}", 0)
		if err := os.Chmod(filepath.Join(dir, "secret.json"), 0); err != nil {
			t.Fatal(err)
		}
	}, func(t *testing.T, dir string) {
		s, _ := newSpool(t, spool.Config{Dir: dir})
		_, err := s.Read(spool.Entry{Name: "secret.json"}, noon, nil)
		var skip *spool.SkipError
		if !errors.As(err, &skip) || skip.Pending || !errors.Is(err, fs.ErrPermission) {
			t.Errorf("got %v", err)
		}
		wantText(t, "an unreadable file", err, `"secret.json" cannot be read: permission denied`)
	})
}

// Once warm, a payload costs the payload itself, its key and the hash state; not one allocation per
// byte, line or item of a fixed kind.
func TestReadAllocatesLittle(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", `{"a":"`+strings.Repeat("x", 4000)+`"}`, 0)
	e := scan(t, s).Entries.At(0)
	buf := bytes.Repeat([]byte{0}, 8192)
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := s.Read(e, noon, buf); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 12 {
		t.Errorf("%v allocations per payload", allocs)
	}
	t.Logf("%v allocations per payload", allocs)
}

func wantSkip(t *testing.T, err error, reason string) {
	t.Helper()
	var skip *spool.SkipError
	if !errors.As(err, &skip) || skip.Pending || skip.Reason != reason {
		t.Errorf("got %v, want it skipped because it %s", err, reason)
	}
}
