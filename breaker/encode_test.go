package breaker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// fourKeys is all that the other programs know. Its types are as narrow as in a typed language.
type fourKeys struct {
	State           *string  `json:"state"`
	FailureCount    *int32   `json:"failure_count"`
	LastFailureTime *float64 `json:"last_failure_time"`
	OpenedAt        *float64 `json:"opened_at"`
}

// minute is the retry timeout of the others, in these tests.
const minute micros = 60_000_000

func TestAStateFileWithJustTheFourSharedKeysLoads(t *testing.T) {
	c := stateFile(t, `{"state":"open","failure_count":5,"last_failure_time":1763848123.1234,"opened_at":1763848123.1234}`)
	opened := time.UnixMicro(1763848123123400)
	b := open(t, c, opened)
	wantState(t, b, Open)
	stats := b.Stats(opened)
	if stats.FailureCount != 5 || stats.LastFailureTime != 1763848123.1234 || stats.OpenedAt != 1763848123.1234 {
		t.Errorf("the file was loaded as %+v", stats)
	}
	if b.Available(opened.Add(60*time.Second - time.Microsecond)) {
		t.Error("available one microsecond before the timeout")
	}
	if !b.Available(opened.Add(60 * time.Second)) {
		t.Error("not available at the timeout")
	}
}

func TestAReaderThatKnowsJustTheFourSharedKeysUnderstandsEveryState(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(b *Breaker) error
		want fourKeys
	}{
		{"closed", func(b *Breaker) error { return b.Reset(start) },
			fourKeys{new("closed"), new(int32(0)), new(0.0), new(0.0)}},
		{"counting", func(b *Breaker) error { return b.RecordFailure(start, 0) },
			fourKeys{new("closed"), new(int32(1)), new(1763848123.123456), new(0.0)}},
		{"open", func(b *Breaker) error {
			var all error
			for range 5 {
				all = errors.Join(all, b.RecordFailure(start, 0))
			}
			return all
		},
			fourKeys{new("open"), new(int32(5)), new(1763848123.123456), new(1763848123.123456)}},
		{"open after a Retry-After of an hour", func(b *Breaker) error { return b.RecordFailure(start, time.Hour) },
			fourKeys{new("open"), new(int32(1)), new(1763848123.123456), new(1763848123.123456 + 3540)}},
		{"open after a Retry-After that ends before the retry timeout", func(b *Breaker) error { return b.RecordFailure(start, time.Second) },
			fourKeys{new("open"), new(int32(1)), new(1763848123.123456), new(1763848123.123456)}},
		{"tripped for two hours", func(b *Breaker) error { return b.Trip(start, 2*time.Hour) },
			fourKeys{new("open"), new(int32(0)), new(0.0), new(1763848123.123456 + 7140)}},
		{"tripped for one retry timeout", func(b *Breaker) error { return b.Trip(start, 0) },
			fourKeys{new("open"), new(int32(0)), new(0.0), new(1763848123.123456)}},
		{"half-open", func(b *Breaker) error {
			if err := b.Trip(start, time.Second); err != nil {
				return err
			}
			b.Available(start.Add(time.Second))
			return b.SaveError()
		}, fourKeys{new("half_open"), new(int32(0)), new(0.0), new(1763848123.123456)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := open(t, Config{StateDir: t.TempDir()}, start)
			mustDo(t, test.name, test.do(b))
			var got fourKeys
			mustDo(t, "Unmarshal", json.Unmarshal([]byte(readState(t, b)), &got))
			gotJSON, _ := json.Marshal(got)
			wantJSON, _ := json.Marshal(test.want)
			if string(gotJSON) != string(wantJSON) {
				t.Errorf("read as %s, want %s", gotJSON, wantJSON)
			}
		})
	}
}

func TestUnknownKeysSurviveASave(t *testing.T) {
	c := stateFile(t, ` { "zone" : {"b": [1,  2.50, "\u00e9<"] } , "state":"closed","count":"7", "failure_count": 4.0,
		"opened_at":null, "tripped":true, "not_before":9, "version":"2.3", "é\n": null } `)
	b := open(t, c, start)
	failTimes(t, b, 1, start)
	want := `{"state":"open","failure_count":5,"last_failure_time":1763848123.123456,"opened_at":1763848123.123456,` +
		`"not_before":0,"tripped":false,"open_since":1763848123.123456,"version":1,"count":"7","zone":{"b": [1,  2.50, "\u00e9<"] },"é\n":null}` + "\n"
	if got := readState(t, b); got != want {
		t.Errorf("the file is\n%swant\n%s", got, want)
	}
	if again := open(t, c, start); again.Stats(start) != b.Stats(start) {
		t.Errorf("loaded again as %+v, want %+v", again.Stats(start), b.Stats(start))
	}
}

func TestStatesWrittenByOtherProgramsAreAccepted(t *testing.T) {
	for _, test := range []struct {
		name, file string
		want       snapshot
	}{
		{"just a state", `{"state":"closed"}`, snapshot{}},
		{"null times", `{"state":"closed","failure_count":2,"last_failure_time":null,"opened_at":null}`, snapshot{failures: 2}},
		{"a count with a zero fraction", `{"state":"half_open","failure_count":5.0}`, snapshot{state: HalfOpen, failures: 5}},
		{"a count with an exponent", `{"state":"half_open","failure_count":0.5e1}`, snapshot{state: HalfOpen, failures: 5}},
		{"whole seconds", `{"state":"open","failure_count":5,"opened_at":1763848123}`,
			snapshot{state: Open, failures: 5, openedAt: 1763848123000000, openSince: 1763848123000000}},
		{"escaped letters", `{"\u0073tate":"\u006fpen"}`, snapshot{state: Open}},
		{"a key twice", `{"state":"open","state":"closed"}`, snapshot{}},
		{"a key in capitals beside it", `{"STATE":"open","state":"closed"}`, snapshot{}},
		{"white space around", "\r\n\t{\"state\":\n\"open\"}\r\n", snapshot{state: Open}},
		{"a time before 1970", `{"state":"open","opened_at":-5.5}`, snapshot{state: Open}},
		{"a time beyond all numbers", `{"state":"open","opened_at":1e999}`, snapshot{state: Open, openedAt: maxMicros, openSince: maxMicros}},
		{"a hold of ours in a closed file", `{"state":"closed","not_before":1763848123,"tripped":true}`, snapshot{}},
		{"an open_since of ours in a closed file", `{"state":"closed","open_since":1763848123}`, snapshot{}},
		{"opened anew by a program that keeps our keys", `{"state":"open","opened_at":1763848123,"open_since":1763848000}`,
			snapshot{state: Open, openedAt: 1763848123000000, openSince: 1763848000000000}},
		{"open since later than opened", `{"state":"open","opened_at":1763848000,"open_since":1763848123}`,
			snapshot{state: Open, openedAt: 1763848000000000, openSince: 1763848000000000}},
		{"a failed probe of ours in a closed file", `{"state":"closed","failed_probes":3}`, snapshot{}},
		{"a failed probe of ours in an open file", `{"state":"open","failed_probes":3}`, snapshot{state: Open, failedProbes: 3}},
		{"open since no time", `{"state":"open","open_since":1763848123}`, snapshot{state: Open, openSince: 1763848123000000}},
		{"a version we do not know", `{"state":"open","version":[2]}`, snapshot{state: Open}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, _, err := decode([]byte(test.file)); err != nil || got != test.want {
				t.Errorf("decoded as %+v, %v, want %+v", got, err, test.want)
			}
		})
	}
}

// A state that cannot be read back is worth less than keys that are not ours.
func TestUnknownKeysNeverMakeTheFileUnreadable(t *testing.T) {
	head, tail := `{"state":"open","failure_count":5,"pad":"`, `"}`
	full := head + strings.Repeat("x", maxFileSize-len(head)-len(tail)) + tail
	m, unknown, err := decode([]byte(full))
	if err != nil || len(unknown) != 1 {
		t.Fatalf("a file of exactly the largest size: %d other keys, %v", len(unknown), err)
	}
	written := encode(m, unknown, minute)
	if len(written) > maxFileSize {
		t.Errorf("%d bytes are written, and %d are read", len(written), maxFileSize)
	}
	again, left, err := decode(written)
	if err != nil || again != m || len(left) != 0 {
		t.Errorf("written with %d bytes and read again as %+v with %d other keys, %v; want %+v", len(written), again, len(left), err, m)
	}
	m.openedAt = microsAt(start)
	smaller := unknownKeys{"pad": unknown["pad"][:1000]}
	smaller["pad"] = append(bytes.Clone(smaller["pad"]), '"')
	if _, left, err := decode(encode(m, smaller, minute)); err != nil || !bytes.Equal(left["pad"], smaller["pad"]) {
		t.Errorf("a key that fits came back as %s, %v", left["pad"], err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"state":"open","failure_count":5,"last_failure_time":1763848123.1234,"opened_at":1763848123.1234}`,
		string(encode(snapshot{state: Open, failures: 5, lastFailure: 3, openedAt: 2, notBefore: 9, tripped: true, failedProbes: 7}, nil, minute)),
		`{"state":"closed","failure_count":0,"last_failure_time":null,"opened_at":null,"a":[1, 2],"\u00e9":{"b":1e999}}`,
		`{"state":"half_open","failure_count":1e0,"last_failure_time":1e300,"opened_at":-1e-300,"é\ud800":"\ud800"}`,
		`{"state":"open","failure_count":-0,"opened_at":8589934591.999999,"not_before":4294967296.000001}`,
		`{}`, `[]`, `null`, ``, "\x00\x00",
	} {
		f.Add([]byte(seed))
	}
	for _, data := range brokenFiles(f) {
		if len(data) <= 1<<10 { // mutating and minimizing larger ones would eat the time
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, unknown, err := decode(data)
		if err != nil {
			if m != (snapshot{}) || unknown != nil {
				t.Fatalf("a file that is refused (%v) left %+v, %q", err, m, unknown)
			}
			if text := (&Anomaly{Path: "/x.state", Cause: err}).Error(); len(text) > 300 || strings.ContainsAny(text, "\n\x1b") {
				t.Fatalf("not one short sentence: %q", text)
			}
			return
		}
		written := encode(m, unknown, minute)
		if len(written) > maxFileSize {
			t.Errorf("%d bytes are written, and %d are read", len(written), maxFileSize)
		}
		again, left, err := decode(written)
		if err != nil || again != m {
			t.Fatalf("%+v was written as %s and read as %+v, %v", m, written, again, err)
		}
		if len(encode(m, nil, minute)) < len(written) && fmt.Sprint(left) != fmt.Sprint(unknown) {
			t.Fatalf("other keys %s became %s", unknown, left)
		}
		var four fourKeys
		if err := json.Unmarshal(encode(m, nil, minute), &four); err != nil || four.State == nil || four.FailureCount == nil ||
			four.LastFailureTime == nil || four.OpenedAt == nil {
			t.Fatalf("a reader of four keys reads %s as %+v, %v", written, four, err)
		}
	})
}
