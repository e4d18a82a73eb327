// Package producers shows how a Go program spools for spoolfwd: through spool.Put. Copy SpoolPut;
// its neighbours in this directory do the same for other languages.
//
// See [spool.Spool.Put] for its promises and for what a crash leaves behind.
package producers

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

// SpoolPut spools one value as JSON into the spool dir. A slice becomes a batch, each of its
// elements an item of its own; anything else is one item. It waits for the disk (fsync), and may be
// called from any number of goroutines and processes at once.
//
// The error tells what is wrong with the value (spool.ErrInvalid, or one of encoding/json), that
// the spool is full (spool.ErrFull), or a fault of this machine; the spool is then what it was. An
// application that must not be held up by its own measurements logs it and goes on.
func SpoolPut(dir string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	s, err := spool.Open(spool.Config{Dir: dir})
	if err != nil {
		return err
	}
	defer s.Close()
	// A limit reads the whole directory first. Leave both out where every millisecond counts.
	limits := spool.PutConfig{Prefix: "profile", MaxSpoolBytes: 1 << 30, MaxSpoolFiles: 100_000}
	_, err = s.Put(limits, time.Now(), bytes.NewReader(data))
	return err
}
