package nats_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// faults are how often each of them happens.
type faults struct{ kills, cuts, stepDowns, stops, crashes int }

// Each item is in the stream once, however often spoolfwd is killed, the network is cut, and the
// stream's leader steps down, is stopped or is killed, all while items are on their way.
//
//	TIMES=20 SEED=17 go test -v -run Once -timeout 1h .
func TestEveryItemIsStoredOnceOverKillsCutsAndChangesOfLeader(t *testing.T) {
	times := fromEnvironment(t, "TIMES", 1)
	seed := fromEnvironment(t, "SEED", uint64(time.Now().UnixNano()))
	random := rand.New(rand.NewPCG(seed, 0))
	t.Parallel()
	t.Logf("SEED=%d", seed)

	c := newCluster(t, clusterOptions{plain: true})
	wire := newWire(t, c)
	w := newWorld(t, c, wire.addresses)
	var done faults
	type fault func(run *os.Process, leader *node) afterwards
	var deck []fault
	add := func(n int, fault fault) {
		for range n * int(times) {
			deck = append(deck, fault)
		}
	}
	add(60, func(run *os.Process, _ *node) afterwards {
		_ = run.Kill()
		return afterwards(random.IntN(2)) // the piece has left the process: it may arrive or not
	})
	add(25, func(*os.Process, *node) afterwards {
		done.cuts++
		return []afterwards{drop, passAndCut}[random.IntN(2)]
	})
	add(8, func(*os.Process, *node) afterwards {
		if err := c.stepDown(); err == nil {
			done.stepDowns++
		}
		return pass
	})
	var stopped *node
	stop := func(signal os.Signal, count *int) fault {
		return func(_ *os.Process, leader *node) afterwards {
			leader.stop(signal)
			stopped = leader
			*count++
			return pass
		}
	}
	add(1, stop(syscall.SIGTERM, &done.stops))
	add(2, stop(os.Kill, &done.crashes))
	random.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })

	for _, fault := range deck {
		leader := c.leader()
		run := w.runUntil(wire, []int{1, 4, 16}[random.IntN(3)], random.IntN(40), func(run *os.Process) afterwards { return fault(run, leader) })
		if status, ok := run.Sys().(syscall.WaitStatus); ok && status.Signal() == syscall.SIGKILL {
			done.kills++
		}
		if stopped != nil { // the other two go on alone
			w.drain()
			stopped.start()
			stopped = nil
			c.untilWhole()
		}
	}
	w.drain()
	stored := c.stored()
	w.compare(stored)
	left := len(w.left())
	if left > 0 {
		t.Errorf("%d payload files are left", left)
	}
	t.Logf("spoolfwd killed %d times, network cut %d times, leader stepped down %d, stopped %d, killed %d times; "+
		"%d items spooled, %d distinct keys stored, %d payload files left; %d acknowledgements, %d of them for a key that was there",
		done.kills, done.cuts, done.stepDowns, done.stops, done.crashes, len(w.spooled), len(stored), left, wire.answers, wire.duplicates)
}

func fromEnvironment(t testing.TB, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
