package spool_test

import (
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

// A producer spools payloads; a consumer takes the oldest first and removes each file when all of
// its items are delivered. Runs of consumers must exclude each other with a lock of their own.
func Example() {
	dir, err := os.MkdirTemp("", "spool")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	s, err := spool.Open(spool.Config{Dir: dir, HostID: "web-1"})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	for _, payload := range []string{`[{"page":"/"},{"page":"/cart"}]`, `{"page":`} {
		if _, err := s.Put(spool.PutConfig{}, time.Now(), strings.NewReader(payload)); err != nil {
			fmt.Println(err)
		}
	}

	page, err := s.Scan(spool.Entry{}, 0)
	if err != nil {
		log.Fatal(err)
	}
	for entry := range page.Entries.All() {
		p, err := s.Read(entry, time.Now(), nil)
		if err != nil {
			continue // gone, skipped or refused
		}
		for i, item := range p.Items {
			fmt.Printf("item %d: %s, with a key of %d digits\n", i+1, item.Body, len(item.Key))
		}
		if err := s.Remove(p); err != nil { // all of them are delivered
			log.Fatal(err)
		}
	}
	if err := s.Sync(); err != nil {
		log.Fatal(err)
	}
	empty, err := s.Empty()
	fmt.Println("empty:", empty, err)
	// Output:
	// not a payload: it is not valid JSON: it ends in the middle of a value, at byte offset 8
	// item 1: {"page":"/"}, with a key of 32 digits
	// item 2: {"page":"/cart"}, with a key of 32 digits
	// empty: true <nil>
}
