package spool

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

var longNames = []string{
	"x.json", strings.Repeat("n", 250) + ".json", strings.Repeat("n", 238) + ".json", strings.Repeat("n", 239) + ".json",
	strings.Repeat("n", 255), strings.Repeat("日", 83) + ".json", "a" + strings.Repeat("日", 83) + ".jso", strings.Repeat("\xff", 255), strings.Repeat("\x80", 255),
	"a." + strings.Repeat("x", 253), "a." + strings.Repeat("x", 210), strings.Repeat("n", 200) + "." + strings.Repeat("x", 31),
	strings.Repeat("n", 200) + "." + strings.Repeat("x", 32), strings.Repeat(".", 255), strings.Repeat("n", 249) + ".key-.",
	strings.Repeat("n", 190) + ".key-" + someKey[:28], "n.key-" + someKey + ".key-" + someKey[:28], "n.key-" + someKey + ".c" + strings.Repeat(".d", 105),
}

func FuzzFitName(f *testing.F) {
	for _, name := range longNames {
		f.Add(name, 1)
		f.Add(name, 99)
	}
	f.Fuzz(func(t *testing.T, name string, n int) {
		if _, key, _, _ := cutKey(withKey(name, someKey)); key != someKey {
			t.Errorf("%q carries the key %q", withKey(name, someKey), key)
		}
		if name == "" || len(name) > maxName || strings.ContainsAny(name, "/\x00") || n < 0 || n > 1e6 {
			return
		}
		for _, long := range []string{name, numbered(name, n), withKey(name, someKey), numbered(withKey(name, someKey), n)} {
			got := fitName(long)
			if len(got) > maxName-len(reasonSuffix) || got == "" {
				t.Errorf("fitName(%q) has %d bytes: %q", long, len(got), got)
			}
			if fitName(got) != got {
				t.Errorf("fitName changes its own result %q into %q", got, fitName(got))
			}
			if len(long) <= maxName-len(reasonSuffix) && got != long {
				t.Errorf("fitName(%q) = %q although it fits", long, got)
			}
			if utf8.ValidString(long) && !utf8.ValidString(got) {
				t.Errorf("fitName(%q) = %q, which is not UTF-8 any more", long, got)
			}
			if _, key, _, ok := cutKey(long); ok {
				if _, kept, _, _ := cutKey(got); kept != key {
					t.Errorf("fitName(%q) = %q lost the key", long, got)
				}
			} else if isKeyed(got) {
				t.Errorf("fitName(%q) = %q has got a key", long, got)
			}
		}
		if a, b := fitName(numbered(name, 2)), fitName(numbered(name, 3)); a == b {
			t.Errorf("two choices for %q are the same: %q", name, a)
		}
	})
}

// A file under a key that is another's could be taken for one that is already delivered.
func TestShorteningANameNeverMakesItLookAsIfItCarriedAKey(t *testing.T) {
	for _, name := range []string{
		strings.Repeat("n", 196) + ".key-" + someKey + ".9." + strings.Repeat("x", 33),
		strings.Repeat("n", 160) + ".key-" + someKey + ".key-" + someKey + "." + strings.Repeat("x", 33) + ".json" + strings.Repeat("y", 33),
	} {
		if isKeyed(name) {
			t.Fatalf("%q carries a key already", name)
		}
		if got := fitName(name); isKeyed(got) {
			t.Errorf("fitName(%q) = %q has got a key", name, got)
		}
	}
}

func TestLongNamesThatDifferStayApart(t *testing.T) {
	seen := map[string]string{}
	for _, name := range longNames {
		for n := range 5 {
			long := numbered(name, n+1)
			got := fitName(long)
			if other, ok := seen[got]; ok && other != long {
				t.Errorf("%q and %q both became %q", long, other, got)
			}
			seen[got] = long
		}
	}
}

func TestANumberIsPutBeforeTheEndingOfAName(t *testing.T) {
	for _, tt := range []struct {
		name string
		n    int
		want string
	}{
		{"x.json", 1, "x.json"},
		{"x.json", 2, "x.2.json"},
		{"x", 12, "x.12"},
		{"x.tar.gz", 3, "x.tar.3.gz"},
		{"x.key-" + someKey + ".json", 2, "x.2.key-" + someKey + ".json"},
	} {
		if got := numbered(tt.name, tt.n); got != tt.want {
			t.Errorf("numbered(%q, %d) = %q, want %q", tt.name, tt.n, got, tt.want)
		}
	}
}

// Reasons and the index are JSON, which holds text only; file names are bytes.
func FuzzEncodeName(f *testing.F) {
	for _, name := range append(longNames, "not\xffutf8.json", `"x".json`, `"`, `\xff`, "\ufffd.json", "new\nline", `"\xff"`, "") {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		text := EncodeName(name)
		if !utf8.ValidString(text) {
			t.Fatalf("EncodeName(%q) = %q is not UTF-8", name, text)
		}
		if utf8.ValidString(name) && !strings.HasPrefix(name, `"`) && text != name {
			t.Errorf("EncodeName(%q) = %q although it needs no quotes", name, text)
		}
		data, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var back string
		if err := json.Unmarshal(data, &back); err != nil || DecodeName(back) != name {
			t.Errorf("%q came back from JSON as %q, %v", name, DecodeName(back), err)
		}
		DecodeName(name) // whatever stands in a damaged reason
	})
}
