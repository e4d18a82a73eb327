//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// ours empties the spool as a run of the command does, from opening it to saving
// the breaker's state.
func (b *bench) ours(url string, concurrency, batch int) error {
	t, err := transmit.New(transmit.Config{
		URL:     url,
		MaxIdle: concurrency,
		Getenv:  func(string) string { return "" },
	})
	if err != nil {
		return err
	}
	defer t.Close()
	s, err := spool.Open(spool.Config{Dir: b.spool, MachineID: "3f1c2b7a9d0e4c5fa6b8d1e2f3a4b5c6"})
	if err != nil {
		return err
	}
	defer s.Close()
	k, err := breaker.New(breaker.Config{StateDir: b.state})
	if err != nil {
		return err
	}
	if err := k.Open(time.Now()); err != nil {
		return err
	}
	index, err := drain.OpenIndex(filepath.Join(b.state, "central_listener.index"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background()) // as by a signal
	defer cancel()
	report, err := drain.Run(ctx, drain.Config{
		Spool:       s,
		Breaker:     k,
		Transmitter: t,
		Index:       index,
		Concurrency: concurrency,
		BatchItems:  batch,
	})
	err = errors.Join(append(report.Faults, err, k.Save())...)
	if err == nil && report.Stop != drain.Drained {
		err = fmt.Errorf("the drain ended early: %v, %v", report.Stop, report.Errors)
	}
	return err
}
