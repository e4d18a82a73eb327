package breaker_test

import (
	"fmt"
	"log"
	"os"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
)

// Each turn of the loop stands for a process of its own, which a scheduler starts once a minute
// while the listener is down.
func Example() {
	dir, err := os.MkdirTemp("", "breaker")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	now := time.Unix(1_763_848_123, 0)
	for range 4 {
		if err := run(dir, now); err != nil {
			log.Fatal(err)
		}
		now = now.Add(time.Minute)
	}
	// Output:
	// closed: sent 3 requests, open now
	// open: sent 0 requests, open now
	// open: sent 1 requests, open now
	// open: sent 0 requests, open now
}

func run(dir string, now time.Time) error {
	b, err := breaker.New(breaker.Config{StateDir: dir, FailureThreshold: 3, RetryTimeout: 90 * time.Second})
	if err != nil {
		return err
	}
	lock, err := breaker.TakeLock(b.LockPath())
	if err != nil {
		return err
	}
	defer lock.Release()
	if anomaly := b.Open(now); anomaly != nil {
		log.Print(anomaly) // the breaker is usable all the same
	}

	before, requests := b.State(), 0
	for b.Available(now) {
		requests++
		if err := b.RecordFailure(now, 0); err != nil {
			return err
		}
	}
	fmt.Printf("%v: sent %d requests, %v now\n", before, requests, b.State())
	return b.Save()
}
