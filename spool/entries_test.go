package spool

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Entries are added in a random order. The n oldest are kept, whole, and the cut is the next.
func TestTheOldestAreSelectedAndKeptWhole(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		var e Entries
		var all []Entry
		times := 1 + rnd.Int64N(50) // few: names decide
		for i := range 2 + rnd.IntN(400) {
			entry := Entry{
				Name:    fmt.Sprintf("%s%x_%d", strings.Repeat("n", rnd.IntN(240)), rnd.Uint32(), i),
				ModTime: rnd.Int64N(times),
				Size:    rnd.Int64N(1 << 20),
			}
			e.add(entry)
			all = append(all, entry)
		}
		slices.SortFunc(all, Entry.Compare)
		n := 1 + rnd.IntN(len(all)-1)
		e.selectOldest(n)
		cut := e.At(n)
		e.truncate(n)
		e.sort()
		if got := slices.Collect(e.All()); !slices.Equal(got, all[:n]) || cut != all[n] {
			t.Fatalf("the %d oldest of %d are %v, cut %v, want %v, cut %v", n, len(all), got, cut, all[:n], all[n])
		}
	}
}

func TestEntriesTakeTheLongestNamesAndTheLargestSizes(t *testing.T) {
	var e Entries
	want := []Entry{
		{Name: strings.Repeat("é", 255), ModTime: math.MinInt64, Size: math.MaxUint32},
		{Name: "b", ModTime: math.MaxInt64},
	}
	for range 2000 { // over the ends of chunks
		for _, entry := range want {
			e.add(entry)
		}
	}
	for i := range e.Len() {
		if got := e.At(i); got != want[i%2] {
			t.Fatalf("entry %d is %v", i, got)
		}
	}
	e.add(Entry{Name: "c", Size: math.MaxInt64})
	if got := e.At(e.Len() - 1).Size; got != math.MaxUint32 {
		t.Errorf("a size of more than 4 GiB is %d", got)
	}
}

func TestAnEntryTakesEighteenBytesAndItsName(t *testing.T) {
	const n = 100_000
	var e Entries
	for range n {
		e.add(Entry{Name: strings.Repeat("n", 40)})
	}
	each := float64(e.names.size())/n + float64(reflect.TypeFor[record]().Size())
	if each > 18+40+2 { // chunks are not quite full
		t.Errorf("an entry with a name of 40 bytes takes %.1f bytes", each)
	}
}

// Long names fill the memory that a page may take before its entries do. Entries that are dropped
// then are found again by the next scan.
func TestPagesOfLongNamesAreBoundedAndMissNothing(t *testing.T) {
	const files = 150_000
	found := make([]candidate, files)
	random := rand.New(rand.NewPCG(1, 0))
	for i, at := range random.Perm(files) {
		c := &found[i]
		c.name = fmt.Sprintf("%0246d", at)
		c.st.Mode = unix.S_IFREG
		c.st.Mtim = unix.NsecToTimespec(int64(at / 3))
	}
	var after Entry
	next, pages := 0, 0
	for more := true; more; pages++ {
		sc := scan{spool: &Spool{}, after: after, limit: DefaultPageSize, room: 2 * DefaultPageSize}
		for i := range found {
			if err := sc.judge(&found[i]); err != nil {
				t.Fatal(err)
			}
			if size := sc.page.Entries.names.size(); size > maxNames+1<<chunkBits {
				t.Fatalf("names take %d bytes", size)
			}
		}
		w := sc.page
		w.Entries.sort()
		for e := range w.Entries.All() {
			if want := fmt.Sprintf("%0246d", next); e.Name != want {
				t.Fatalf("page %d: %s comes after %s", pages, e.Name, after.Name)
			}
			next, after = next+1, e
		}
		more = w.More
	}
	if next != files || pages < 2 {
		t.Errorf("%d pages held %d files of %d", pages, next, files)
	}
}
