package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/breaker/statefile"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// sessionFile keeps the TLS session of one run for the next. What it holds is sealed by package
// transmit. Losing it costs one whole handshake, so nothing that is wrong with it is worth a
// message without -v, and it is not synced to the disk.
type sessionFile struct{ statefile.File }

// sessionFileFor is beside the state of the breaker.
func sessionFileFor(b breaker.Config) sessionFile {
	return sessionFile{statefile.File{
		Path:    filepath.Join(b.StateDir, b.Name+".session"),
		MaxSize: transmit.MaxSealedSession, Volatile: true, Secret: true,
	}}
}

// Load returns the sealed session, or nothing.
func (f sessionFile) Load() ([]byte, error) { return f.Read() }

// Save replaces the sealed session. The last one has been used, so it goes even when the disk has
// no room for the new one.
func (f sessionFile) Save(sealed []byte) error {
	f.Sweep()
	var err error
	if len(sealed) > 0 {
		if err = f.Write(sealed); err == nil {
			return nil
		}
	}
	if errRemove := os.Remove(f.Path); err == nil && !errors.Is(errRemove, fs.ErrNotExist) {
		err = errRemove
	}
	if err != nil {
		return fmt.Errorf("the TLS session cannot be kept for the next run in %s: %w", f.Path, err)
	}
	return nil
}
