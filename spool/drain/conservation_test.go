package drain_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

var (
	rounds = flag.Int("rounds", 3000, "rounds of the conservation test")
	seed   = flag.Uint64("seed", 0, "seed of the first round of a random test; 0: by the clock")
)

// firstSeed tells the seed before anything happens, so that a test that hangs or panics can be
// played again too.
func firstSeed(t *testing.T) uint64 {
	first := *seed
	if first == 0 {
		first = uint64(time.Now().UnixNano())
	}
	fmt.Printf("%s begins with the seed %d\n", t.Name(), first)
	return first
}

// TestNoPayloadIsEverLost lets random producers, listeners, crashes, failing removals and people
// loose on a spool, and then takes stock. Each item that was spooled was delivered with its own
// bytes and its own key, or is in rejected/ with a reason. Only what the listener never accepts is
// in rejected/. After every run the state file must say what the listener answered.
func TestNoPayloadIsEverLost(t *testing.T) {
	first := firstSeed(t)
	var stock tally
	var mu sync.Mutex
	workers := uint64(runtime.GOMAXPROCS(0))
	t.Run("hands", func(t *testing.T) { // ends when all of them have
		for worker := range workers {
			t.Run(fmt.Sprint(worker), func(t *testing.T) {
				t.Parallel()
				for n := worker; n < uint64(*rounds); n += workers {
					sum := playRound(t, first+n)
					if t.Failed() {
						t.Fatalf("to play this round again: go test ./spool/drain -run NoPayloadIsEverLost -args -rounds 1 -seed %d", first+n)
					}
					mu.Lock()
					stock.add(sum)
					mu.Unlock()
				}
			})
		}
	})
	if t.Failed() {
		return
	}
	t.Logf("seed %d: %d rounds, %d items spooled, %d of doubtful fate, %d delivered, %d delivered again under the same key, %d rejected, %d crashes, %d files changed, %d runs that could remove nothing any more, %d that could save nothing any more, %d without a usable rejected/, lost 0, good ones rejected 0",
		first, *rounds, stock.spooled, stock.doubtful, stock.delivered, stock.again, stock.rejected, stock.crashes, stock.changes, stock.locks, stock.noStates, stock.noRejects)
	if stock.locks == 0 {
		t.Log("no removal failed: this user cannot be kept from writing to a directory here, or the rounds were too few")
	}
}

func playRound(t *testing.T, seed uint64) tally {
	base := fastDir(t)
	defer os.RemoveAll(base) // thousands of rounds follow
	c := newChaos(t, base, seed)
	c.play()
	return c.takeStock()
}

// chaos is one round: a world and the random hand that moves it.
type chaos struct {
	*world
	rand *rand.Rand
	mu   sync.Mutex // what is below is used by the workers' requests too

	spooled  map[string]int  // items by their bytes: how many there must be
	doubtful map[string]int  // and how many more there may be, their producer having taken them back
	repeat   map[string]bool // items that may be delivered again without a crash
	failed   map[string]int  // how often a good item has failed

	files     int
	calm      bool // the listener accepts bad items too, and nobody meddles
	quiet     bool // nobody meddles
	mood      int  // how the listener is disposed in this run
	crashes   int
	crashIn   int    // requests until the process is killed; negative: it is not
	changes   int    // files changed, replaced or deleted in the middle of a run
	locks     int    // runs in which removals began to fail
	unlock    func() // ends that; nil: they do not fail
	noStates  int    // such runs
	noRejects int    // runs without a usable rejected/
	ledger    ledger
}

// mostItems is how many items an array file holds at most when it is spooled.
const mostItems = 7

// killed is what a request panics with when the process dies in the middle of it.
type killed struct{}

func newChaos(t *testing.T, base string, seed uint64) *chaos {
	c := &chaos{
		world:    newWorldIn(t, base),
		rand:     rand.New(rand.NewPCG(seed, 1)),
		spooled:  map[string]int{},
		doubtful: map[string]int{},
		repeat:   map[string]bool{},
		failed:   map[string]int{},
	}
	c.config.MaxAttempts = 1 + c.rand.IntN(4)
	c.config.PageSize = 1 + c.rand.IntN(8)
	c.breaker.FailureThreshold = 1 + c.rand.IntN(5)
	c.config.Transmitter = c
	c.listener.answer = c.answer
	c.watch = c.ledger.watch
	return c
}

// fastDir is a directory in memory where there is one: the test makes many thousands of files and
// is not about the disk.
func fastDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "spoolfwd-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (c *chaos) play() {
	for range 2 + c.rand.IntN(8) {
		for range c.rand.IntN(6) {
			c.produce()
		}
		if c.rand.IntN(3) == 0 {
			c.produceJunk()
		}
		if c.rand.IntN(4) == 0 {
			c.produceBad()
		}
		c.mood = []int{0, 10, 50, 100}[c.rand.IntN(4)]
		c.config.Concurrency = []int{1, 4}[c.rand.IntN(2)]
		c.config.MaxItems = c.rand.IntN(20)
		c.crashIn = -2
		if c.config.Concurrency == 1 && c.rand.IntN(3) == 0 {
			c.crashIn = c.rand.IntN(6)
		}
		occupied := c.rand.IntN(8) == 0
		if occupied {
			c.occupyRejected()
		}
		c.process()
		if occupied {
			c.freeRejected()
		}
		c.now = c.now.Add(time.Duration(c.rand.IntN(90)) * time.Second)
		switch c.rand.IntN(12) {
		case 0:
			os.Remove(c.statePath())
			c.ledger.truth = closed
		case 1:
			c.loseIndex()
		case 2:
			c.retryRejected()
		}
	}
	c.goodOnesLeave()
	// In the end all is well, and what is left is delivered.
	c.calm, c.mood, c.config.Concurrency, c.config.MaxItems, c.crashIn = true, 0, 4, 0, -2
	for range 3 {
		c.now = c.now.Add(2 * time.Hour)
		c.process()
	}
}

// goodOnesLeave lets runs without faults go on, with a new good item for each, until no good item
// is left. A bad item ahead of a good one costs a request, so there may be as many runs as bad
// ones.
func (c *chaos) goodOnesLeave() {
	c.quiet, c.mood, c.config.Concurrency, c.config.MaxItems, c.crashIn = true, 0, 1, 0, -2
	c.breaker.FailureThreshold = 5 // one failure must not end each run
	c.config.PageSize = 0          // the default: no page holds bad ones alone
	for runs := 0; ; runs++ {
		c.now = c.now.Add(2 * time.Hour)
		item := c.newItem(0)
		c.write(fmt.Sprintf("buffer_%d.json", c.files), item, 0)
		c.spooled[item]++
		c.process()
		good, bad := 0, 0
		for _, name := range c.names() {
			if !strings.HasSuffix(name, ".json") || strings.HasPrefix(name, "junk") {
				continue
			}
			for _, item := range itemsOf(c.t, c.read(name)) {
				if isGood(item) {
					good++
				} else {
					bad++
				}
			}
		}
		if good == 0 {
			return
		}
		if runs > 10+bad {
			c.t.Errorf("%d good items are still in the spool after %d runs without faults, with %d bad ones", good, runs, bad)
			return
		}
	}
}

// process is one run, which may be killed.
func (c *chaos) process() {
	c.ledger.open()
	c.unsaved = false
	crashed := diesIn(func() {
		defer func() {
			if c.unlock != nil {
				c.unlock()
				c.unlock = nil
			}
		}()
		c.run()
	})
	if crashed {
		c.crashes++
	}
	c.ledger.check(c, crashed)
	if c.unsaved { // then neither what was delivered of a file nor what could not be removed is remembered
		for _, name := range c.names() {
			if c.isOurs(name) {
				c.mayRepeat(itemsOf(c.t, c.read(name)))
			}
		}
	}
}

// loseIndex is a person who deletes the index. Delivered items that are still in their file are
// sent again then.
func (c *chaos) loseIndex() {
	path := filepath.Join(c.stateDir, "central_listener.index")
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return
	}
	var index struct {
		Files map[string]struct{ Delivered []string }
	}
	if err := errors.Join(err, json.Unmarshal(data, &index), os.Remove(path)); err != nil {
		c.t.Error(err)
	}
	for _, name := range c.names() {
		if len(index.Files[name].Delivered) > 0 {
			c.mayRepeat(itemsOf(c.t, c.read(name)))
		}
	}
}

// retryRejected is a person who puts all of rejected/ back.
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
		if c.changes+c.locks > 0 { // it may not have been cut out of its file, and have been sent from there
			c.repeat[c.read(filepath.Join(spool.RejectedDir, r.Name))] = true
		}
		if _, err := s.Retry(r); err != nil {
			c.t.Error(err)
		}
	}
}
