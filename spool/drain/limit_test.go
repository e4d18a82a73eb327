package drain

import "testing"

func TestTheLimitGrowsWithGoodAnswersAndFallsToOneWithAFailure(t *testing.T) {
	l := newLimit(Config{Concurrency: 3, BatchItems: 4})
	want := func(when string, requests, items int) {
		t.Helper()
		if l.requests != requests || l.items != items {
			t.Errorf("%s: %d requests of %d items, want %d of %d", when, l.requests, l.items, requests, items)
		}
	}
	want("at the beginning", 1, 1)
	l.succeeded(l.generation)
	want("after one good answer", 2, 2)
	for range 5 {
		l.succeeded(l.generation)
	}
	want("after many", 3, 4)
	old := l.generation
	l.failed(false)
	want("after a failure", 1, 1)
	l.succeeded(old)
	want("after an answer to what was asked before the failure", 1, 1)
	for range 5 {
		l.succeeded(l.generation)
	}
	l.tooLarge(4)
	want("after a request of four items was too large", 3, 2)
	l.tooLarge(1)
	want("after a single item was too large", 3, 1)
}
