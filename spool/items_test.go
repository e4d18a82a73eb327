package spool

import (
	"bytes"
	"encoding/json"
	"testing"
)

// arrays are valid JSON arrays with all that can mislead one who cuts them up without a parser.
var arrays = []string{
	`[]`, `[ ]`, "[\n\t\r ]", `[[]]`, `[[],[]]`, `[[[[]]],[]]`, `[{}]`, `[{},{}]`, `[""]`,
	`[1]`, `[ 1 ]`, `[1,2,3]`, `[ 1 , 2 , 3 ]`, `[-0.5e+10,1E5]`, `[null,true,false]`, `[null]`,
	`[{"a":[1,2,{"b":[]}]},[{"c":"]"}]]`,
	`["]","[","{","}",",","\"","\\"]`, `["\\\\",1]`, `["\\\"]",2]`, `["a\\","b"]`, `["\u005d","\u0022,"]`,
	`[{"a,b":"c,d"},{"]":"["}]`, `[{"\"":"\\\""},1]`, `["\\", "\\"]`,
	"[\"\u2028é\",\"日本\",\"\\ud83d\\ude00\"]", "[\"\xff\xfe\"]",
	" [1] ", "\n[\n  {\n    \"a\": 1\n  },\n  {\n    \"a\": 2\n  }\n]\n",
	`["a"  ,"b"	]`, `[1,"a",[1,"a"],{"a":1},null]`, `[{"a":1},{"a":1}]`, `[[1,2],[1,2]]`,
	`[[],1]`, `[1,[]]`, `["",""]`, `[{"":""}]`, `[0]`, `[ "x" ]`,
}

func TestPayloadsAreSplitAsEncodingJSONSplitsThem(t *testing.T) {
	for _, array := range arrays {
		checkSplit(t, []byte(array))
	}
}

func FuzzSplit(f *testing.F) {
	for _, array := range arrays {
		f.Add([]byte(array))
	}
	f.Fuzz(checkSplit)
}

// checkSplit compares the items of a file with the values that encoding/json finds. It does the
// same for valid JSON that is not an array, and for invalid JSON.
func checkSplit(t *testing.T, data []byte) {
	p := &Payload{Entry: Entry{Name: "x.json"}, Data: bytes.Clone(data)}
	err := new(Spool).split(p)
	if !json.Valid(data) {
		tooDeep := bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) > 10_000 // for encoding/json
		if err == nil && !tooDeep {
			t.Fatalf("%q was split although it is not valid JSON", data)
		}
		return
	}
	if err != nil {
		t.Fatalf("%q: %v", data, err)
	}
	if !bytes.Equal(p.Data, data) {
		t.Fatalf("splitting %q changed it into %q", data, p.Data)
	}
	var want []json.RawMessage
	isArray := bytes.TrimLeft(data, " \t\r\n")[0] == '['
	if !isArray {
		want = []json.RawMessage{data}
	} else if err := json.Unmarshal(data, &want); err != nil {
		t.Fatalf("%q: %v", data, err)
	}
	if p.Array != isArray || len(p.Items) != len(want) {
		t.Fatalf("%q: array %v with %d items, want %v with %d", data, p.Array, len(p.Items), isArray, len(want))
	}
	for i, it := range p.Items {
		if !bytes.Equal(it.Body, want[i]) {
			t.Errorf("item %d of %q is %q, want %q", i, data, it.Body, want[i])
		}
	}
	checkEqualItems(t, p)
}

// checkEqualItems compares links and keys of equal items with what comparing every item with every
// other gives.
func checkEqualItems(t *testing.T, p *Payload) {
	if !p.Array {
		return
	}
	for i := range p.Items {
		it := &p.Items[i]
		next, after := -1, 0
		for j := range p.Items {
			switch same := bytes.Equal(it.Body, p.Items[j].Body); {
			case same && j > i:
				if next < 0 {
					next = j
				}
				after++
			case j != i && it.Key == p.Items[j].Key:
				t.Errorf("items %d and %d of %q have the same key", i, j, p.Data)
			}
		}
		if it.NextEqual != next || it.Key != Key("", p.Name, it.Body, after) {
			t.Errorf("item %d of %q: %+v, want the next equal item %d, and the key before %d equal ones", i, p.Data, it, next, after)
		}
	}
}

func TestInvalidArraysAreRefused(t *testing.T) {
	for _, data := range []string{
		"", " ", "[", "]", "[1", "[1,]", "[,1]", "[,]", "[1]]", "[1][2]", "[1],", `["a]`, `["\"]`, `[{]}`, "[01]", "[tru]", "[1 2]",
		"[\"\n\"]", "\x00[]", "[]\x00", "[NaN]", "['a']", "//\n[]", "\ufeff[]",
	} {
		if err := new(Spool).split(&Payload{Data: []byte(data)}); err == nil {
			t.Errorf("%q was split", data)
		}
	}
}
