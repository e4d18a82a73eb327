//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
)

// plain is the loop that one would write with net/http: the names in the order of
// os.ReadDir, each file read, posted and removed. It is given what such a loop
// must not forget, as many idle connections as goroutines and a body that is read
// to its end, and it is let off timeouts, order by age, checks and the breaker.
func (b *bench) plain(url string, concurrency int) error {
	entries, err := os.ReadDir(b.spool)
	if err != nil {
		return err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: concurrency}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	return spread(concurrency, len(entries), func() (worker, error) {
		return worker{do: func(i int) error {
			return postFile(client, url, filepath.Join(b.spool, entries[i].Name()))
		}}, nil
	})
}

func postFile(client *http.Client, url, file string) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	answer, err := client.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %d", file, answer.StatusCode)
	}
	return os.Remove(file)
}
