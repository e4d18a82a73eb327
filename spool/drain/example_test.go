package drain_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// ExampleSender is for a program that has its items in hand and no spool. What is not delivered
// stays with the program.
func ExampleSender() {
	stateDir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(stateDir)
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Idempotency-Key") != `"item 1"` {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer listener.Close()

	b, err := breaker.New(breaker.Config{Name: "example", StateDir: stateDir, FailureThreshold: 2})
	if err != nil {
		log.Fatal(err)
	}
	lock, err := breaker.TakeLock(b.LockPath())
	if err != nil {
		log.Fatal(err)
	}
	defer lock.Release()
	if err := b.Open(time.Now()); err != nil {
		log.Print(err)
	}
	t, err := transmit.New(transmit.Config{URL: listener.URL})
	if err != nil {
		log.Fatal(err)
	}
	defer t.Close()

	sender := drain.Sender[breaker.Stats]{Breaker: b, Transmitter: t}
	var items []transmit.Request
	for i := range 5 {
		items = append(items, transmit.Request{Body: []byte(`{"route":"/"}`), Key: fmt.Sprint("item ", i+1)})
	}
	sent := sender.SendBatch(context.Background(), items)
	fmt.Printf("%d delivered, %d failed, %d not sent: %v\n", sent.Delivered, sent.Failed, len(items)-len(sent.Verdicts), sent.Err)
	fmt.Println("open:", sender.CircuitOpen())
	fmt.Println("failures on record:", sender.Stats().Breaker.FailureCount)
	if err := b.Save(); err != nil {
		log.Print(err)
	}
	// Output:
	// 1 delivered, 2 failed, 2 not sent: the breaker is open
	// open: true
	// failures on record: 2
}

// ExampleRun is a whole program: it does what one run of spoolfwd does.
func ExampleRun() {
	base, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(base)
	spoolDir, stateDir := filepath.Join(base, "buffer"), filepath.Join(base, "state")
	os.Mkdir(spoolDir, 0o700)
	os.Mkdir(stateDir, 0o700)
	os.WriteFile(filepath.Join(spoolDir, "profile_1.json"), []byte(`{"route":"/"}`), 0o600)
	os.WriteFile(filepath.Join(spoolDir, "buffer_1.json"), []byte(`[{"route":"/a"},{"route":"/b"}]`), 0o600)
	listener := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer listener.Close()

	if err := forward(spoolDir, stateDir, listener.URL); err != nil {
		log.Fatal(err)
	}
	// Output: 3 items delivered, 0 payload files left: drained
}

func forward(spoolDir, stateDir, url string) error {
	// A wrong configuration is found first, before anything is touched.
	b, err := breaker.New(breaker.Config{StateDir: stateDir})
	if err != nil {
		return err
	}
	t, err := transmit.New(transmit.Config{URL: url})
	if err != nil {
		return err
	}
	defer t.Close()

	// The lock keeps other runs out. It is held from before the breaker is loaded until after it is
	// saved.
	lock, err := breaker.TakeLock(b.LockPath())
	if err != nil {
		return err
	}
	defer lock.Release()
	if err := b.Open(time.Now()); err != nil {
		log.Print(err) // the breaker is usable all the same, and so is the index below
	}
	index, err := drain.OpenIndex(drain.IndexPath(stateDir, breaker.DefaultConfig().Name))
	if err != nil {
		log.Print(err)
	}

	// The identity is a part of every idempotency key: it tells equal payloads of two hosts apart,
	// and must stay the same from run to run.
	identity, err := breaker.HostID(stateDir)
	if err != nil {
		return err
	}
	s, err := spool.Open(spool.Config{Dir: spoolDir, HostID: identity})
	if err != nil {
		return err
	}
	defer s.Close()

	report, err := drain.Run(context.Background(), drain.Config{Spool: s, Breaker: b, Transmitter: t, Index: index})
	if err != nil {
		return errors.Join(err, b.Save()) // a run that ends early may have changed the breaker, too
	}
	for _, err := range report.LocalErrors {
		log.Print(err)
	}
	fmt.Printf("%d items delivered, %d payload files left: %v\n", report.Delivered, report.Left, report.Stop)
	return b.Save()
}
