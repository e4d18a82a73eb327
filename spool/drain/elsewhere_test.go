package drain

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestAfterAFailureTheNextComesFromElsewhere(t *testing.T) {
	var got []int
	for failures := range 16 {
		got = append(got, search{failures: failures}.elsewhere(101))
	}
	want := []int{
		0,          // the oldest, as long as nothing fails
		62,         // 0.62 of the row
		100,        // the youngest
		86, 48, 10, // 1.85, 2.47 and 3.09 rows
		100, // the youngest again
		0,   // the oldest again
		95, 57, 100, 80, 98, 4, 0, 28,
	}
	if !slices.Equal(got, want) {
		t.Errorf("of 101: %v, want %v", got, want)
	}
}

func TestElsewhereReachesEverythingAndSeldomTheSameTwiceInARow(t *testing.T) {
	for n := 1; n <= 100; n++ {
		reached := map[int]bool{}
		last, same := -1, 0
		for failures := range 8 * n {
			at := search{failures: failures}.elsewhere(n)
			if at < 0 || at >= n {
				t.Fatalf("number %d of %d after %d failures", at, n, failures)
			}
			if at == last {
				same++
			}
			reached[at], last = true, at
		}
		if n > 10 && same > 8*n/14 {
			t.Errorf("of %d, the same comes twice in a row %d times in %d", n, same, 8*n)
		}
		if len(reached) < n {
			t.Errorf("of %d only %d are reached in %d failures", n, len(reached), 8*n)
		}
	}
}

// The order depends on the failures; each file is still handed out once.
func TestTheQueueHandsOutEachFileOnceWhateverFails(t *testing.T) {
	for round := range uint64(200) {
		random := rand.New(rand.NewPCG(round, 7))
		n, deferred := random.IntN(150), random.IntN(20)
		var q queue
		q.fresh.waiting, q.deferred.waiting = fullSet(n), fullSet(deferred)
		seen := map[string]int{}
		failures := 0
		for {
			c, ok, err := q.nextLocked(search{failures: failures}, false)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			c.line.waiting.remove(c.at)
			seen[fmt.Sprint(c.line == &q.deferred, c.at)]++
			failures++
			if random.IntN(3) == 0 {
				failures = 0
			}
		}
		if len(seen) != n+deferred {
			t.Fatalf("round %d: %d of %d files and %d deferred ones are handed out", round, len(seen), n, deferred)
		}
		for name, times := range seen {
			if times > 1 {
				t.Errorf("round %d: %s is handed out %d times", round, name, times)
			}
		}
	}
}
