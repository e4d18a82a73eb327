package drain

import (
	"slices"
	"testing"
	"time"
)

func TestDeferredFilesComeWithTheirLastAnswerTheMostAttemptsFirst(t *testing.T) {
	at := func(second int64) time.Time { return time.Unix(second, 0) }
	x := &Index{files: map[string]*record{
		"once.json":      {Failed: map[string]Attempts{"k1": {Count: 1, Last: at(9), Status: 502}}},
		"array.json":     {Failed: map[string]Attempts{"k2": {Count: 4, Last: at(5), Status: 500}, "k3": {Count: 2, Last: at(7), Refused: true}}},
		"delivered.json": {},
		"also once.json": {Failed: map[string]Attempts{"k4": {Count: 1, Last: at(1), Status: 429}}},
	}}
	want := []DeferredFile{
		{"array.json", 2, 1, 4, 0, at(7)},
		{"also once.json", 1, 0, 1, 429, at(1)},
		{"once.json", 1, 0, 1, 502, at(9)},
	}
	if got := x.DeferredFiles(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
