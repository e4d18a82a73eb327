package spool

import (
	"bytes"
	"encoding/json"
	"io"
)

// ownFile names a file of this program's own that has come into the spool. That is the reason of a
// rejected payload, moved by hand, or a state, index or metrics file, by a pattern that matches
// everything. Such a file must never be sent and then removed. It is known by what it holds, since
// its name may have been changed and may also be a payload's. "" stands for anything else.
func ownFile(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("# HELP spoolfwd_")), bytes.HasPrefix(data, []byte("# TYPE spoolfwd_")):
		return "spoolfwd's metrics"
	case firstKey(data, "file") && asReason(data) != nil:
		return "the reason of a rejected payload"
	case isState(data):
		return "a circuit breaker's state"
	case firstKey(data, "version") && isIndex(data):
		return "spoolfwd's index"
	}
	return ""
}

// firstKey reports whether data begins like an object with that key. It is asked of every payload.
func firstKey(data []byte, key string) bool {
	rest, ok := bytes.CutPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{"))
	return ok && bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte(`"`+key+`"`))
}

// asReason returns the reason that data holds, or nil when it is not exactly one.
func asReason(data []byte) *Reason {
	var r Reason
	if !isStrictly(data, &r) || r.File == "" || r.Time.IsZero() {
		return nil
	}
	for _, key := range []string{`"attempts"`, `"error"`} {
		if !bytes.Contains(data, []byte(key)) {
			return nil
		}
	}
	return &r
}

func isState(data []byte) bool {
	if len(data) > maxSmall || !bytes.Contains(data, []byte(`"last_failure_time"`)) || !bytes.Contains(data, []byte(`"opened_at"`)) {
		return false
	}
	var s struct {
		State    string       `json:"state"`
		Failures *json.Number `json:"failure_count"`
	}
	return json.Unmarshal(data, &s) == nil && s.Failures != nil && (s.State == "closed" || s.State == "open" || s.State == "half_open")
}

func isIndex(data []byte) bool {
	var x struct {
		Version int `json:"version"`
		Files   map[string]struct {
			Delivered json.RawMessage `json:"delivered"`
			Failed    json.RawMessage `json:"failed"`
			Others    json.RawMessage `json:"others"`
		} `json:"files"`
		Skipped json.RawMessage `json:"skipped"`
	}
	return isStrictly(data, &x) && x.Files != nil
}

// isStrictly reports whether data is one object with no keys but those of into.
func isStrictly(data []byte, into any) bool {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into) == nil && d.Decode(&struct{}{}) == io.EOF
}
