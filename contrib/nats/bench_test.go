package nats_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A run of spoolfwd beside the loop that one would write with nats.go: each file read, published
// under a key and removed. They take turns, and a ratio is formed within a round. The loop cannot
// find out how many in flight are best, so that auto stands beside 64. It prints Markdown; nothing
// passes or fails.
//
//	ITEMS=20000 ROUNDS=5 go test -run '^$' -bench . -benchtime 1x -timeout 1h .
func BenchmarkARunBesideALoopWithTheSameInFlight(b *testing.B) {
	items := int(fromEnvironment(b, "ITEMS", 5000))
	rounds := int(fromEnvironment(b, "ROUNDS", 5))
	for _, sync := range []string{"always", "2m"} {
		b.Run("sync_interval="+sync, func(b *testing.B) {
			c := newCluster(b, clusterOptions{plain: true, change: []string{"sync_interval: always", "sync_interval: " + sync}})
			w := newWorld(b, c, c.addresses())
			js, err := jetstream.New(c.connect("spoolfwd:change-me-1"))
			if err != nil {
				b.Fatal(err)
			}
			measure := func(do func() error) float64 {
				for i := range items {
					w.put(fmt.Sprintf(`{"n":%d,"text":%q}`, i, strings.Repeat("SELECT * FROM orders WHERE id = 42; ", 28)))
				}
				began := time.Now()
				if err := do(); err != nil || len(w.left()) > 0 {
					b.Fatalf("%d payload files are left: %v", len(w.left()), err)
				}
				return float64(items) / time.Since(began).Seconds()
			}
			inFlight := []string{"1", "4", "16", "64", "auto"}
			runs, loops, ratios := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
			for range rounds {
				for _, n := range inFlight {
					run := measure(func() error {
						out, err := w.spoolfwd("run", "--concurrency", n).CombinedOutput()
						if err != nil {
							err = fmt.Errorf("%w: %s", err, out)
						}
						return err
					})
					loop := measure(func() error {
						limit, err := strconv.Atoi(n)
						if err != nil {
							limit = 64 // what auto may grow to
						}
						return publishAll(js, w.left(), limit)
					})
					runs[n], loops[n], ratios[n] = append(runs[n], run), append(loops[n], loop), append(ratios[n], run/loop)
				}
			}
			var table strings.Builder
			fmt.Fprintf(&table, "\n%d items, %d rounds, sync_interval: %s\n\n", items, rounds, sync)
			table.WriteString("| in flight | items/s | loop with nats.go, items/s | ratio | lowest to highest |\n|---|--:|--:|--:|--:|\n")
			for _, n := range inFlight {
				fmt.Fprintf(&table, "| %s | %.0f | %.0f | %.2f | %.2f to %.2f |\n", n, median(runs[n]), median(loops[n]),
					median(ratios[n]), slices.Min(ratios[n]), slices.Max(ratios[n]))
			}
			fmt.Println(table.String())
		})
	}
}

// publishAll is the loop. It needs no order by age, deadlines, checks or breaker.
func publishAll(js jetstream.JetStream, paths []string, inFlight int) error {
	var workers sync.WaitGroup
	var next atomic.Int64
	failed := make([]error, inFlight)
	for i := range inFlight {
		workers.Go(func() {
			for n := next.Add(1) - 1; n < int64(len(paths)) && failed[i] == nil; n = next.Add(1) - 1 {
				failed[i] = publish(js, paths[n])
			}
		})
	}
	workers.Wait()
	return errors.Join(failed...)
}

func publish(js jetstream.JetStream, path string) error {
	body, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	m := &nats.Msg{Subject: "items.loop", Data: body, Header: nats.Header{jetstream.MsgIDHeader: {filepath.Base(path)}}}
	if _, err := js.PublishMsg(context.Background(), m); err != nil {
		return err
	}
	return os.Remove(path)
}

func median(values []float64) float64 { return slices.Sorted(slices.Values(values))[len(values)/2] }
