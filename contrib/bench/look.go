//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

// scan finds the payload files and puts them in order.
func (b *bench) scan() error {
	_, err := b.scanned()
	return err
}

func (b *bench) scanned() (entries spool.Entries, err error) {
	s, err := spool.Open(spool.Config{Dir: b.spool})
	if err != nil {
		return entries, err
	}
	defer s.Close()
	w, err := s.Scan(spool.Entry{}, 0)
	if err == nil && w.Files != b.files {
		err = fmt.Errorf("the scan found %d of %d files", w.Files, b.files)
	}
	return w.Entries, err
}

// readDir is how one would find them with the standard library; in no order of age.
func (b *bench) readDir() error {
	entries, err := os.ReadDir(b.spool)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if _, err := e.Info(); err != nil {
			return err
		}
	}
	return nil
}

// read reads what a scan has found, checks that it is JSON and gives it a key.
func (b *bench) read(entries spool.Entries) error {
	s, err := spool.Open(spool.Config{Dir: b.spool, MachineID: "3f1c2b7a9d0e4c5fa6b8d1e2f3a4b5c6"})
	if err != nil {
		return err
	}
	defer s.Close()
	now := time.Now()
	var buffer []byte
	for e := range entries.All() {
		p, err := s.Read(e, now, buffer)
		if err != nil {
			return err
		}
		buffer = p.Data
	}
	return nil
}

// readFile is how one would read them with the standard library; unchecked.
func (b *bench) readFile(entries spool.Entries) error {
	for e := range entries.All() {
		if _, err := os.ReadFile(filepath.Join(b.spool, e.Name)); err != nil {
			return err
		}
	}
	return nil
}
