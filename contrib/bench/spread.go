//go:build linux

package main

import (
	"sync"
	"sync/atomic"
)

// worker is what one goroutine does: the thing with number i, again and again, and
// something at the end where end is not nil.
type worker struct {
	do  func(i int) error
	end func() error
}

// spread does n things in order with so many goroutines and returns the first error.
func spread(goroutines, n int, prepare func() (worker, error)) error {
	var (
		wg    sync.WaitGroup
		next  atomic.Int64
		once  sync.Once
		first error
	)
	check := func(err error) {
		if err != nil {
			once.Do(func() { first = err })
			next.Store(int64(n)) // nobody begins anything more
		}
	}
	for range goroutines {
		wg.Go(func() {
			w, err := prepare()
			if err != nil {
				check(err)
				return
			}
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				check(w.do(int(i)))
			}
			if w.end != nil {
				check(w.end())
			}
		})
	}
	wg.Wait()
	return first
}
