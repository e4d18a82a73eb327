package nats_test

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

// All three servers are killed at once while items are on their way. What spoolfwd has removed is
// in the stream when they are back. A killed process loses nothing that it has given to the kernel,
// so this test does not show what sync_interval does: contrib/torture cuts the power of a disk.
func TestNothingAcknowledgedIsLostWhenAllServersAreKilled(t *testing.T) {
	t.Parallel()
	times := fromEnvironment(t, "TIMES", 1)
	seed := fromEnvironment(t, "SEED", uint64(time.Now().UnixNano()))
	random := rand.New(rand.NewPCG(seed, 1))
	t.Logf("SEED=%d", seed)

	c := newCluster(t, clusterOptions{})
	wire := newWire(t, c)
	w := newWorld(t, c, wire.addresses)
	removed := 0
	for range 2 * times {
		w.fill(200)
		w.runUntil(wire, []int{1, 4, 16}[random.IntN(3)], 50+random.IntN(200), func(*os.Process) afterwards {
			for _, n := range c.nodes {
				n.signal(os.Kill)
			}
			return pass
		})
		for _, n := range c.nodes {
			n.wait()
			n.start()
		}
		removed += w.files - len(w.left())
		c.untilWhole()
		w.compare(c.stored())
	}
	w.drain()
	stored := c.stored()
	w.compare(stored)
	t.Logf("all servers killed %d times, after %d payload files had been removed; %d items spooled, %d distinct keys stored, %d payload files left",
		2*times, removed, len(w.spooled), len(stored), len(w.left()))
}
