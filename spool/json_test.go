package spool

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// The reason of a rejected payload is read by the person who has to mend its producer.
func TestTheReasonNamesWhatIsWrongWithTheJSONAndWhere(t *testing.T) {
	for _, tt := range []struct {
		name, data string
		want       string
	}{
		{"a byte order mark", "\xef\xbb\xbf{}", "it begins with a byte order mark, at byte offset 0"},
		{"UTF-16 with a mark", "\xff\xfe{\x00}\x00", "it is UTF-16 instead of UTF-8, at byte offset 0"},
		{"UTF-16, the other way round", "\xfe\xff\x00{\x00}", "it is UTF-16 instead of UTF-8, at byte offset 0"},
		{"UTF-16 without a mark", "{\x00}\x00", "it is UTF-16 instead of UTF-8, at byte offset 0"},
		{"UTF-16 without a mark, the other way round", "\x00{\x00}", "it is UTF-16 instead of UTF-8, at byte offset 0"},
		{"gzip", "\x1f\x8b\x08\x00", "it is compressed with gzip, at byte offset 0"},
		{"zstd", "\x28\xb5\x2f\xfd\x04", "it is compressed with zstd, at byte offset 0"},
		{"NDJSON", "{\"a\":1}\n{\"a\":2}\n", "a second value begins on a line of its own, as in NDJSON, at byte offset 8"},
		{"NDJSON with CRLF", "{}\r\n[]\r\n", "a second value begins on a line of its own, as in NDJSON, at byte offset 4"},
		{"two documents", `{} {}`, "a second value begins, at byte offset 3"},
		{"two arrays", `[1][2]`, "a second value begins, at byte offset 3"},
		{"a closer too many", `[1]]`, "\"]\" does not belong there, at byte offset 3"},
		{"NaN", `{"a":NaN}`, "JSON has no NaN and no Infinity, at byte offset 5"},
		{"Infinity", `[1,-Infinity]`, "JSON has no NaN and no Infinity, at byte offset 4"},
		{"cut off in an object", `{"a":`, "it ends in the middle of a value, at byte offset 5"},
		{"cut off in a string", `["abc`, "it ends in the middle of a value, at byte offset 5"},
		{"cut off in an escape", `["\u00`, "it ends in the middle of a value, at byte offset 6"},
		{"cut off in a literal", `tru`, "it ends in the middle of a value, at byte offset 3"},
		{"NULs, as after a power cut", "{\"a\":\x00\x00", "there is a NUL byte, at byte offset 5"},
		{"nothing but NULs", "\x00\x00\x00", "there is a NUL byte, at byte offset 0"},
		{"white space", " \r\n", "it holds nothing but white space, at byte offset 0"},
		{"a comma too many", `[1,]`, "\"]\" does not belong there, at byte offset 3"},
		{"a comment", "{} // done", "\"/\" does not belong there, at byte offset 3"},
		{"single quotes", `{'a':1}`, "\"'\" does not belong there, at byte offset 1"},
		{"a leading zero", `[01]`, "\"1\" does not belong there, at byte offset 2"},
		{"a line break in a string", "[\"a\nb\"]", "\"\\n\" does not belong there, at byte offset 3"},
		{"an unknown escape", `["\x41"]`, "\"x\" does not belong there, at byte offset 3"},
		{"no JSON at all", "hello", "\"h\" does not belong there, at byte offset 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := checkJSON([]byte(tt.data))
			var wrong *JSONError
			if want := "is not valid JSON: " + tt.want; !errors.As(err, &wrong) || err.Error() != want {
				t.Errorf("%q %v, want it to say %q", tt.data, err, want)
			}
		})
	}
}

// encoding/json calls what is nested deeper than 10,000 levels invalid.
func TestDeepNestingIsValid(t *testing.T) {
	for _, depth := range []int{20_000, 1_000_000} {
		for name, data := range map[string]string{
			"arrays":  strings.Repeat("[", depth) + strings.Repeat("]", depth),
			"objects": strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth),
		} {
			if err := checkJSON([]byte(data)); err != nil {
				t.Errorf("%s, %d levels: %v", name, depth, err)
			}
			if err := checkJSON([]byte(data[:len(data)-1])); err == nil {
				t.Errorf("%s, %d levels, one of them open: valid", name, depth)
			}
		}
	}
}

// BenchmarkCheckJSON reads a profile of 4 KiB, beside encoding/json.
func BenchmarkCheckJSON(b *testing.B) {
	data := []byte(`[` + strings.Repeat(`{"url":"/products/17","method":"GET","duration":0.1234,"calls":[{"f":"main","n":12,"wt":1.5e3}]},`, 40) + `{}]`)
	for _, check := range []struct {
		name  string
		valid func([]byte) bool
	}{
		{"spool", func(b []byte) bool { return checkJSON(b) == nil }},
		{"spool, split", func(b []byte) bool { return new(Spool).split(&Payload{Data: b}) == nil }},
		{"encoding/json", json.Valid},
	} {
		b.Run(check.name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if !check.valid(data) {
					b.Fatal("it is valid")
				}
			}
		})
	}
}
