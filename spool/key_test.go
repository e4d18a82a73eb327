package spool

import (
	"strings"
	"testing"
)

// Listeners remember keys across upgrades of the sender: these must never change.
func TestKeysAreTheSameInEveryVersion(t *testing.T) {
	for _, tt := range []struct {
		machine, name, body string
		after               int
		want                string
	}{
		{"", "x.json", "{}", 0, "6820ed2f42d78c94faee8ddefcc54838"},
		{"4fc8a6d2b1e04c3c9d7b1a2f3e4d5c6b", "buffer_1763848123.1234_0a1b2c3d.json", `{"url":"/"}`, 0, "1db56fa05dc70acba00bc5a744a9ff72"},
		{"4fc8a6d2b1e04c3c9d7b1a2f3e4d5c6b", "buffer_1763848123.1234_0a1b2c3d.json", `{"url":"/"}`, 1, "9d76a32f55de034009988fc5211213ea"},
		{"4fc8a6d2b1e04c3c9d7b1a2f3e4d5c6b", "buffer_1763848123.1234_0a1b2c3d.json", `{"url":"/"}`, 300, "2ce9b4da96521ce37021461ec683ad81"},
		{"m", "not\xffutf8\n.json", "\x00", 0, "48d7f6d37d66ee8d8f22149a78bce8ab"},
	} {
		if got := Key(tt.machine, tt.name, []byte(tt.body), tt.after); got != tt.want {
			t.Errorf("Key(%q, %q, %q, %d) = %q, want %q", tt.machine, tt.name, tt.body, tt.after, got, tt.want)
		}
	}
}

func TestKeysDifferWhereAnythingDiffers(t *testing.T) {
	seen := map[string]string{}
	for _, machine := range []string{"", "a", "ab"} {
		for _, name := range []string{"b.json", ".json", "c.json", "cb.json"} {
			for _, body := range []string{"1", "11", "b.json", "\x001"} {
				for _, after := range []int{0, 1, 2, 256, 65536} {
					what := strings.Join([]string{machine, name, body, string(rune('0' + after%7))}, " | ")
					key := Key(machine, name, []byte(body), after)
					if other, ok := seen[key]; ok {
						t.Errorf("%q and %q have the same key", what, other)
					}
					seen[key] = what
					if len(key) != keyDigits || strings.Trim(key, "0123456789abcdef") != "" {
						t.Errorf("%q is not 32 hexadecimal digits", key)
					}
				}
			}
		}
	}
}

const someKey = "0123456789abcdef0123456789abcdef"

func TestAKeyThatWasWrittenIntoANameIsReadFromIt(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"x.json", "x.key-" + someKey + ".json"},
		{"buffer_1763848123.1234_0a1b2c3d.json", "buffer_1763848123.1234_0a1b2c3d.key-" + someKey + ".json"},
		{"x", "x.key-" + someKey},
		{"x.", "x.key-" + someKey + "."},
		{"x.tar.gz", "x.tar.key-" + someKey + ".gz"},
		{"x.key-.json", "x.key-.key-" + someKey + ".json"},
		{"x.key-ffffffffffffffffffffffffffffffff.json", "x.key-ffffffffffffffffffffffffffffffff.key-" + someKey + ".json"},
		{"x.key-0123", "x.key-" + someKey + ".key-0123"},
		{"x.key-ffffffffffffffffffffffffffffffff", "x.key-" + someKey + ".key-ffffffffffffffffffffffffffffffff"},
		{"\xff\n.json", "\xff\n.key-" + someKey + ".json"},
		{".key-.", ".key-.key-" + someKey + "."},
	} {
		got := withKey(tt.name, someKey)
		if got != tt.want {
			t.Errorf("withKey(%q) = %q, want %q", tt.name, got, tt.want)
		}
		stem, key, ext, ok := cutKey(got)
		if !ok || key != someKey || stem+ext != tt.name {
			t.Errorf("cutKey(%q) = %q, %q, %q, %v", got, stem, key, ext, ok)
		}
	}
}

func TestOrdinaryNamesCarryNoKey(t *testing.T) {
	for _, name := range []string{
		"", "x.json", "x.key-.json", "x.key-0123.json", "x.key-" + someKey + "0.json", "x.key-" + someKey[1:] + ".json",
		"x.key-" + strings.ToUpper(someKey) + ".json", "x.key-" + strings.Repeat("g", 32) + ".json", "xkey-" + someKey + ".json",
		"x.key-" + someKey + ".a.json", "x.key-" + someKey + "json", someKey + ".json", someKey,
	} {
		if stem, key, ext, ok := cutKey(name); ok {
			t.Errorf("cutKey(%q) = %q, %q, %q", name, stem, key, ext)
		}
	}
}

// A batch may hold arrays. One that was rejected and put back must not fall apart into items that
// were never sent, under keys that nobody has seen.
func TestAFileWhoseNameCarriesAKeyIsOneItem(t *testing.T) {
	for _, data := range []string{`[[1],2]`, `{}`, ` [] `, `1`} {
		p := &Payload{Entry: Entry{Name: withKey("x.json", someKey)}, Data: []byte(data)}
		if err := new(Spool).split(p); err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		if p.Array || len(p.Items) != 1 || string(p.Items[0].Body) != data || p.Items[0].Key != someKey {
			t.Errorf("%q under a name with a key: array %v, items %+v", data, p.Array, p.Items)
		}
	}
}
