package spool_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/spool"
)

// Equal items are delivered in file order and none overtakes a failed one. So the items that are
// gone from a file are the first of each group of equal items, and the groups may have taken turns
// in any order. The items that are left must keep their keys through any number of rewrites.
func TestItemsThatAreLeftKeepTheirKeysThroughAnyPartialDelivery(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	s, dir := newSpool(t, spool.Config{HostID: "m"})
	for range 25 {
		items := make([]string, 1+rnd.IntN(20))
		for i := range items {
			items[i] = fmt.Sprintf(`{"v":%d}`, rnd.IntN(5))
		}
		write(t, dir, "x.json", "["+strings.Join(items, " ,\n")+"]", 0)
		p := read(t, s, "x.json")
		seen := map[string]bool{} // keys that are delivered
		for {
			if all := keys(p); len(slices.Compact(slices.Sorted(slices.Values(all)))) != len(all) {
				t.Fatalf("two items of %q have the same key: %q", p.Data, all)
			}
			left := partDelivery(rnd, p)
			var wantBodies, wantKeys []string
			for i, it := range p.Items {
				if slices.Contains(left, i) {
					wantBodies, wantKeys = append(wantBodies, string(it.Body)), append(wantKeys, it.Key)
				} else if seen[it.Key] {
					t.Fatalf("key %s is delivered a second time", it.Key)
				} else {
					seen[it.Key] = true
				}
			}
			if len(left) == 0 {
				break
			}
			if err := s.Rewrite(p, left); err != nil {
				t.Fatal(err)
			}
			p = read(t, s, "x.json")
			if !slices.Equal(bodies(p), wantBodies) || !slices.Equal(keys(p), wantKeys) {
				t.Fatalf("left are %q under %q, want %q under %q", bodies(p), keys(p), wantBodies, wantKeys)
			}
		}
		if len(seen) != len(items) {
			t.Fatalf("%d items were delivered under %d keys", len(items), len(seen))
		}
	}
}

// partDelivery delivers some items, each only when no equal one before it is left, and returns the
// indexes of what is left.
func partDelivery(rnd *rand.Rand, p *spool.Payload) (left []int) {
	delivered := make([]bool, len(p.Items))
	waits := make([]bool, len(p.Items)) // an equal item before it is left
	for _, item := range p.Items {
		if item.NextEqual >= 0 {
			waits[item.NextEqual] = true
		}
	}
	for range rnd.IntN(2 * len(p.Items)) {
		i := rnd.IntN(len(p.Items))
		if waits[i] || delivered[i] {
			continue
		}
		delivered[i] = true
		if next := p.Items[i].NextEqual; next >= 0 {
			waits[next] = false
		}
	}
	for i := range p.Items {
		if !delivered[i] {
			left = append(left, i)
		}
	}
	return left
}

func TestKeysAreTheSameInEveryRead(t *testing.T) {
	s, dir := newSpool(t, spool.Config{HostID: "m"})
	write(t, dir, "x.json", `[1,{"a":1},1,1]`, 0)
	p := read(t, s, "x.json")
	other, _ := newSpool(t, spool.Config{HostID: "m", Dir: dir})
	wantNames(t, "keys in another run", keys(read(t, other, "x.json")), keys(p)...)
	for i, it := range p.Items {
		after := []int{2, 0, 1, 0}[i]
		if want := spool.Key("m", "x.json", it.Body, after); it.Key != want {
			t.Errorf("item %d has the key %s, want %s", i, it.Key, want)
		}
	}
}

func TestEqualFilesAndMachinesHaveDifferentKeys(t *testing.T) {
	s, dir := newSpool(t, spool.Config{HostID: "m"})
	elsewhere, _ := newSpool(t, spool.Config{HostID: "n", Dir: dir})
	write(t, dir, "x.json", `{}`, 0)
	write(t, dir, "y.json", `{}`, 0)
	write(t, dir, "z.json", `[{}]`, 0)
	all := slices.Concat(keys(read(t, s, "x.json")), keys(read(t, s, "y.json")), keys(read(t, s, "z.json")), keys(read(t, elsewhere, "x.json")))
	if slices.Sort(all); len(slices.Compact(slices.Clone(all))) != 4 {
		t.Errorf("equal keys: %q", all)
	}
}
