package spool_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/spool"
)

func skips(names []string, reason string) spool.Skips {
	var s spool.Skips
	for _, name := range names {
		s.Add(spool.SkipError{Name: name, Reason: reason})
	}
	return s
}

// The directory gives its entries in an order of its own.
func TestHashesOfSkippedEntriesDoNotDependOnTheirOrder(t *testing.T) {
	for _, n := range []int{1, 3, spool.MaxHashes, 10 * spool.MaxHashes} {
		var names []string
		for i := range n {
			names = append(names, fmt.Sprintf("junk%d.json", i))
		}
		first := skips(names, "is a FIFO")
		rand.Shuffle(n, func(i, j int) { names[i], names[j] = names[j], names[i] })
		second := skips(names, "is a FIFO")
		if !slices.Equal(first.Hashes, second.Hashes) {
			t.Errorf("%d entries have other marks in another order", n)
		}
		if len(first.Hashes) != min(n, spool.MaxHashes) || !slices.IsSorted(first.Hashes) || first.Count != n {
			t.Errorf("%d entries have %d hashes, sorted %v, and are counted as %d", n, len(first.Hashes), slices.IsSorted(first.Hashes), first.Count)
		}
	}
}

// An exit code depends on them, however much junk lies in front.
func TestSkipsKeepTheCausesOfEntriesThatAreNotNamed(t *testing.T) {
	s := skips([]string{"1.json", "2.json", "3.json", "4.json", "5.json", "6.json"}, "is a FIFO")
	for range 3 {
		s.Add(spool.SkipError{Name: "damaged.json", Reason: "cannot be examined", Err: unix.EIO})
		s.Add(spool.SkipError{Name: "secret.json", Reason: "cannot be read", Err: fmt.Errorf("open: %w", unix.EACCES)})
	}
	if len(s.Samples) != 5 || len(s.Causes) != 2 || !errors.Is(s.Causes[0], unix.EIO) || !errors.Is(s.Causes[1], unix.EACCES) {
		t.Errorf("%d are named and the causes are %v, want EIO and EACCES once each", len(s.Samples), s.Causes)
	}
}

func TestAnotherNameOrReasonHasAnotherHash(t *testing.T) {
	base := skips([]string{"a.json"}, "is a FIFO").Hashes[0]
	for name, other := range map[string]spool.Skips{
		"another name":     skips([]string{"b.json"}, "is a FIFO"),
		"another reason":   skips([]string{"a.json"}, "is a directory"),
		"the border moved": skips([]string{"a.jsoni"}, "s a FIFO"),
	} {
		if other.Hashes[0] == base {
			t.Errorf("%s has the same mark", name)
		}
	}
	if twice := skips([]string{"a.json", "a.json"}, "is a FIFO"); len(twice.Hashes) != 1 {
		t.Errorf("the same entry twice has %d hashes", len(twice.Hashes))
	}
}
