package drain_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

var (
	rounds = flag.Int("rounds", 1000, "rounds of the conservation test")
	seed   = flag.Uint64("seed", 0, "seed of its first round; 0: by the clock")
)

// TestNoPayloadIsEverLost lets random producers, listeners, crashes and people
// loose on a spool and then takes stock: whatever was spooled was delivered with
// its own bytes and its own key, or is in rejected/ with a reason.
func TestNoPayloadIsEverLost(t *testing.T) {
	first := *seed
	if first == 0 {
		first = uint64(time.Now().UnixNano())
	}
	var stock tally
	for n := range uint64(*rounds) {
		c := newChaos(t, first+n)
		c.play()
		stock.add(c.takeStock())
		if t.Failed() {
			t.Fatalf("to play this round again: go test ./spool/drain -run NoPayloadIsEverLost -args -rounds 1 -seed %d", first+n)
		}
	}
	t.Logf("seed %d: %d rounds, %d items spooled, %d delivered, %d delivered again under the same key, %d rejected, %d crashes, lost 0",
		first, *rounds, stock.spooled, stock.delivered, stock.again, stock.rejected, stock.crashes)
	if stock.again > 0 && stock.crashes == 0 {
		t.Error("items were delivered twice without a crash")
	}
}

// chaos is one round: a world and the random hand that moves it.
type chaos struct {
	*world
	rand    *rand.Rand
	mu      sync.Mutex     // rand and spooled are used by the workers' requests too
	spooled map[string]int // items by their bytes: how many there are
	files   int
	calm    bool
	mood    int // how the listener is disposed in this run
	crashes int
	crashIn int // requests until the process is killed; negative: it is not
}

// mostItems is how many items an array file holds at most.
const mostItems = 7

// killed is what a request panics with when the process dies in the middle of it.
type killed struct{}

func newChaos(t *testing.T, seed uint64) *chaos {
	c := &chaos{world: newWorldIn(t, fastDir(t)), rand: rand.New(rand.NewPCG(seed, 1)), spooled: map[string]int{}}
	c.config.MaxAttempts = 1 + c.rand.IntN(3)
	c.config.Window = 1 + c.rand.IntN(8)
	c.breaker.FailureThreshold = 1 + c.rand.IntN(5)
	c.listener.answer = c.answer
	return c
}

// fastDir is a directory in memory where there is one: the test makes many
// thousands of files and is not about the disk.
func fastDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "spoolfwd-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// item makes up an item, now and then one that was there before.
func (c *chaos) item() string {
	c.files++
	if c.rand.IntN(4) == 0 {
		return fmt.Sprintf(`{"same":%d}`, c.rand.IntN(3))
	}
	return fmt.Sprintf(`{"n":%d,"s":"]},{[\"%d"}`, c.files, c.rand.IntN(1000))
}

// produce spools one file, the way producers do.
func (c *chaos) produce() {
	var items []string
	var content string
	if c.rand.IntN(3) == 0 {
		for range c.rand.IntN(mostItems + 1) {
			items = append(items, c.item())
		}
		content = "[" + strings.Join(items, []string{",", " ,\n"}[c.rand.IntN(2)]) + "]"
	} else {
		items = []string{c.item()}
		content = items[0]
	}
	c.files++
	name := fmt.Sprintf("buffer_%d_%08x.json", c.files, c.rand.Uint32())
	c.write(name, content, time.Duration(c.rand.IntN(10))*time.Second)
	for _, item := range items {
		c.spooled[item]++
	}
}

// produceJunk puts entries there that are no payload.
func (c *chaos) produceJunk() {
	c.files++
	path := filepath.Join(c.dir, fmt.Sprintf("junk%d", c.files))
	switch c.rand.IntN(4) {
	case 0:
		_ = os.Symlink("/etc/passwd", path+".json")
	case 1:
		_ = os.Mkdir(path+".json", 0o700)
	case 2:
		_ = os.WriteFile(path+".tmp", []byte("["), 0o600)
	case 3:
		_ = os.WriteFile(filepath.Join(c.dir, spool.TempPrefix+"left.tmp"), []byte("["), 0o600)
	}
}

// answer is the listener: it may be in any mood, and while it thinks, producers
// go on and the machine may die.
func (c *chaos) answer(string) transmit.Verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.calm && c.rand.IntN(20) == 0 {
		c.produce()
	}
	if c.crashIn == 0 && c.rand.IntN(2) == 0 {
		panic(killed{}) // before it was delivered
	}
	c.crashIn--
	if c.rand.IntN(100) >= c.mood {
		return ok()
	}
	switch c.rand.IntN(6) {
	case 0:
		return refuses(400)
	case 1:
		return down()
	case 2:
		v := fails(429)
		v.RetryAfter = time.Duration(c.rand.IntN(100)) * time.Second
		return v
	case 3:
		return transmit.Verdict{Action: transmit.Aborted, Err: fmt.Errorf("too many open files")}
	}
	return fails(500 + c.rand.IntN(5))
}

// Send dies after the listener has taken the item, where answer dies before.
func (c *chaos) Send(ctx context.Context, r transmit.Request) transmit.Verdict {
	v := c.listener.Send(ctx, r)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.crashIn == -1 && c.config.Concurrency == 1 {
		c.crashIn--
		panic(killed{})
	}
	return v
}

func (c *chaos) play() {
	c.config.Transmitter = c
	for range 2 + c.rand.IntN(8) {
		for range c.rand.IntN(6) {
			c.produce()
		}
		if c.rand.IntN(3) == 0 {
			c.produceJunk()
		}
		c.mood = []int{0, 10, 50, 100}[c.rand.IntN(4)]
		c.config.Concurrency = []int{1, 4}[c.rand.IntN(2)]
		c.config.MaxItems = c.rand.IntN(20)
		c.crashIn = -2
		if c.config.Concurrency == 1 && c.rand.IntN(3) == 0 {
			c.crashIn = c.rand.IntN(6)
		}
		c.process()
		c.now = c.now.Add(time.Duration(c.rand.IntN(90)) * time.Second)
		switch c.rand.IntN(12) {
		case 0:
			os.Remove(filepath.Join(c.stateDir, "central_listener.state"))
		case 1:
			os.Remove(filepath.Join(c.stateDir, "central_listener.index"))
		case 2:
			c.retryRejected()
		}
	}
	// In the end all is well, and what is left is delivered.
	c.calm, c.mood, c.config.Concurrency, c.config.MaxItems, c.crashIn = true, 0, 4, 0, -2
	for range 3 {
		c.now = c.now.Add(2 * time.Hour)
		c.process()
	}
}

// process is one run, which may be killed.
func (c *chaos) process() {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(killed); !ok {
				panic(r)
			}
			c.crashes++
		}
	}()
	c.run()
}

func (c *chaos) retryRejected() {
	s, err := spool.Open(spool.Config{Dir: c.dir})
	if err != nil {
		c.t.Fatal(err)
	}
	defer s.Close()
	list, err := s.Rejected()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, r := range list {
		if _, err := s.Retry(r); err != nil {
			c.t.Error(err)
		}
	}
}
