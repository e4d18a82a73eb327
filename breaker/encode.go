package breaker

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/bitville-apm/spoolfwd/breaker/statefile"
)

const (
	// maxFileSize bounds what is read, and so what is written.
	maxFileSize = 64 << 10

	// maxCount is the largest failure count, so that every reader's integers can hold it.
	maxCount = math.MaxInt32

	// maxCause is the longest cause of a failure that is kept, in bytes.
	maxCause = 500

	fileVersion = 1
)

// unknownKeys are the keys of a state file that this package does not know, with their values as
// they were written.
type unknownKeys map[string]json.RawMessage

// encode writes the four keys that every reader of the file knows, then the other keys of this
// package, then the unknown keys sorted by name. Numbers are never null and the count has no
// fraction, because readers in typed languages insist. The unknown keys are left out when they
// would make the file too large to be read again.
//
// Readers of four keys know no hold but their own retry timeout, which is taken to be timeout. For
// a longer one, opened_at is as much later as the hold is longer. The moment itself stands beside
// it, with what opened_at then says: the proof that the shift was ours and is still in the file.
func encode(s snapshot, unknown unknownKeys, timeout micros) []byte {
	shown := s.openedAt
	if s.state == Open && s.openedAt != 0 {
		shown = max(shown, s.notBefore-timeout)
	}
	ours := fmt.Appendf(nil,
		`{"state":%q,"failure_count":%d,"last_failure_time":%s,"opened_at":%s,"not_before":%s,"tripped":%t,`+
			`"open_since":%s,"version":%d`,
		s.state, s.failures, decimal(s.lastFailure), decimal(shown), decimal(s.notBefore), s.tripped,
		decimal(s.openSince), fileVersion)
	if shown != s.openedAt {
		ours = fmt.Appendf(ours, `,"really_opened_at":%s,"shown_opened_at":%s`, decimal(s.openedAt), decimal(shown))
	}
	if s.failedProbes > 0 {
		ours = fmt.Appendf(ours, `,"failed_probes":%d`, s.failedProbes)
	}
	if s.cause != "" {
		quoted, _ := json.Marshal(s.cause) // a string always has a JSON form
		ours = fmt.Appendf(ours, `,"last_failure_cause":%s`, statefile.EscapeJSON(quoted))
	}
	all := slices.Clone(ours)
	for _, key := range slices.Sorted(maps.Keys(unknown)) {
		quoted, _ := json.Marshal(key)
		all = fmt.Appendf(all, ",%s:%s", quoted, unknown[key])
	}
	const end = "}\n"
	if len(all)+len(end) > maxFileSize {
		all = ours
	}
	return append(all, end...)
}

// decimal gives Unix seconds with as many digits as the microseconds need, and never an exponent.
func decimal(m micros) string { return strconv.FormatFloat(m.seconds(), 'f', -1, 64) }
