package drain_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// batchListener takes batches apart again, and refuses those that hold a bad item, as a whole.
type batchListener struct {
	t        *testing.T
	format   drain.Format
	max      int // items; more are answered with 413
	requests []int
	bad      int // requests refused
	items    map[string]int
	keys     map[string]string
}

func newBatchListener(t *testing.T, format drain.Format) *batchListener {
	return &batchListener{t: t, format: format, items: map[string]int{}, keys: map[string]string{}}
}

func (l *batchListener) Send(_ context.Context, r transmit.Request) transmit.Verdict {
	items := l.split(r)
	l.requests = append(l.requests, len(items))
	if l.max > 0 && len(items) > l.max {
		return refuses(413)
	}
	if strings.Contains(string(r.Body), "bad") {
		l.bad++
		return refuses(400)
	}
	if strings.Contains(string(r.Body), "chokes") {
		return fails(500)
	}
	if body, known := l.keys[r.Key]; known && body != string(r.Body) {
		l.t.Errorf("two bodies came under the key %s", r.Key)
	}
	l.keys[r.Key] = string(r.Body)
	for _, item := range items {
		l.items[item]++
	}
	return ok()
}

func (l *batchListener) split(r transmit.Request) (items []string) {
	if l.format == drain.Array {
		equal(l.t, "content type", r.ContentType, "application/json")
		var raw []json.RawMessage
		if err := json.Unmarshal(r.Body, &raw); err != nil {
			l.t.Errorf("a batch is not an array: %v: %s", err, r.Body)
		}
		for _, item := range raw {
			items = append(items, string(item))
		}
		return items
	}
	equal(l.t, "content type", r.ContentType, "application/x-ndjson")
	for line := range strings.Lines(string(r.Body)) {
		if !json.Valid([]byte(line)) {
			l.t.Errorf("a line of a batch is not JSON: %q", line)
		}
		items = append(items, strings.TrimSuffix(line, "\n"))
	}
	return items
}

// moody fails one request in five, before its listener sees it, and dies before or after one when
// told to.
type moody struct {
	*batchListener
	random  *rand.Rand
	crashIn int // requests until the process is killed; negative: it is not
}

func (m *moody) Send(ctx context.Context, r transmit.Request) transmit.Verdict {
	m.crashIn--
	switch now := m.crashIn == -1; {
	case now && m.random.IntN(2) == 0:
		panic(killed{})
	case now:
		defer panic(killed{})
		return m.batchListener.Send(ctx, r)
	}
	if m.random.IntN(15) == 0 {
		return down()
	}
	if len(m.split(r)) > 1 { // alone, a good item would be rejected for these answers
		switch m.random.IntN(15) {
		case 0:
			return fails(500)
		case 1:
			return refuses(422)
		}
	}
	return m.batchListener.Send(ctx, r)
}

// diesIn reports whether a process is killed before it has done its work.
func diesIn(work func()) (killedInIt bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(killed); !ok {
				panic(r)
			}
			killedInIt = true
		}
	}()
	work()
	return false
}
