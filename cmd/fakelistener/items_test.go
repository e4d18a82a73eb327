package main

import (
	"encoding/json"
	"testing"
)

func TestTheItemsOfABodyAreCounted(t *testing.T) {
	tests := []struct {
		name, body string
		want       int
	}{
		{"nothing", "", 0},
		{"white space", " \n ", 0},
		{"an object", `{"a":1}`, 1},
		{"an object on many lines", "{\n\"a\": [1,\n2],\n\"b\": {}\n}\n", 1},
		{"an empty array", "[]", 0},
		{"an empty array with space", " [ \n ] ", 0},
		{"an array of objects", `[{"a":[1,2]},{"b":"],["},{}]`, 3},
		{"an array of everything", `[1, -2.5e3, "a\"]", null, true, [], {"x":[]}]`, 7},
		{"an array of arrays", `[[1,2],[3]]`, 2},
		{"NDJSON", "{\"a\":1}\n{\"a\":2}\n{\"a\":3}", 3},
		{"NDJSON with blank lines and CRLF", "{}\r\n\r\n{}\r\n", 2},
		{"NDJSON of scalars", "1\n\"a b\"\nnull\n", 3},
		{"a string", `"a"`, 1},
		{"text", "no JSON at all", 1},
		{"an array cut off", `[{"a":1},{"b":"`, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := countItems([]byte(tt.body)); got != tt.want {
				t.Errorf("%q holds %d items, want %d", tt.body, got, tt.want)
			}
		})
	}
}

func FuzzCountItems(f *testing.F) {
	for _, seed := range []string{`[1,"a",{"b":[]}]`, `[]`, `["\\",[[]]]`, "{}\n{}", `[{`, `"`, `\`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got := countItems(body)
		var array []json.RawMessage
		if json.Unmarshal(body, &array) == nil && array != nil && got != len(array) {
			t.Errorf("%q holds %d items, want %d", body, got, len(array))
		}
		if isObject(body) && got != 1 {
			t.Errorf("%q is one object and was counted as %d items", body, got)
		}
	})
}
