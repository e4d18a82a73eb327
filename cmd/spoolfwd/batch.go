package main

import (
	"errors"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool/drain"
)

// checkBatches refuses what cannot be put into one request: bytes of any kind
// have no line breaks to be told apart by and are no elements of an array.
func (v *values) checkBatches() error {
	if v.Raw && v.BatchItems > 1 {
		return exit.With(exit.Usage, errors.New("--raw and --batch-items do not go together: only JSON can be batched"))
	}
	return nil
}

func batchFormat(name string) drain.Format {
	if name == "array" {
		return drain.Array
	}
	return drain.NDJSON
}
