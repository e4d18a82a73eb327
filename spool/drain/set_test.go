package drain

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestASetFindsTheNthOfItsNumbers(t *testing.T) {
	for _, size := range []int{0, 1, 63, 64, 65, 200} {
		random := rand.New(rand.NewPCG(1, uint64(size)))
		s := fullSet(size)
		var want []int
		for i := range size {
			want = append(want, i)
		}
		for range 500 {
			i := random.IntN(size + 10)
			at, found := slices.BinarySearch(want, i)
			switch {
			case random.IntN(2) == 0:
				s.add(i)
				if !found {
					want = slices.Insert(want, at, i)
				}
			case found:
				s.remove(i)
				want = slices.Delete(want, at, at+1)
			default:
				s.remove(i) // is not there
			}
			if s.len != len(want) {
				t.Fatalf("a set of %d numbers says that it holds %d", len(want), s.len)
			}
			if len(want) == 0 {
				continue
			}
			if n := random.IntN(len(want)); s.nth(n) != want[n] {
				t.Fatalf("number %d of %v is %d", n, want, s.nth(n))
			}
		}
	}
}
