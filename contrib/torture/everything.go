//go:build linux && (amd64 || arm64)

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// everything lets all faults happen together and at random: clusters of payloads that the listener
// never accepts, a listener that drops connections or is down, a full disk, an unusable rejected/,
// a host name that changes, and kills. Nothing may be lost, and no good payload may be rejected:
// one that the listener accepts when all is well.
func everything(t *torture, r *result) {
	d, err := t.newDisk("ext4", 64<<20)
	if err != nil {
		r.skipf("%v", err)
		return
	}
	defer d.remove()
	e := t.newEnv(d.dir)
	defer e.end()
	e.spacing = time.Millisecond
	m := &mayhem{env: e, disk: d, r: r, rand: t.random(0), listenerRand: t.random(1), failed: map[string]int{}}
	e.endpoint.answers(m.answer)
	for round := 0; e.spooled.items() < t.rounds(10_000, 100_000) && len(r.failures) == 0; round++ {
		m.round()
	}
	m.finishGood()
	i := e.takeInventory()
	m.check(i)
	e.hostname = "last"
	e.finish(r, "everything", m.mayRepeat)
	r.notef("%d payloads that the listener never accepts; of these %d were rejected", m.bad, i.rejected)
	r.notef("%d kills, %d runs on a full disk, %d runs without a usable rejected/, %d connections dropped", m.kills, m.full, m.unusable, m.dropped)
}

// mayhem is the state of the scenario.
type mayhem struct {
	*env
	disk *disk
	r    *result
	rand *rand.Rand

	n   int // items made
	bad int // of these, never accepted

	kills, full, unusable int
	mayRepeat             int // deliveries, by the faults so far

	mu           sync.Mutex // guards the fields below: the listener uses them
	listenerRand *rand.Rand
	down         bool
	failed       map[string]int // times that a good item failed
	dropped      int
}

// round spools some payloads and lets a few runs work on them under random faults.
func (m *mayhem) round() {
	m.produce()
	for range 1 + m.rand.IntN(3) {
		m.mu.Lock()
		m.down = m.rand.IntN(8) == 0
		m.mu.Unlock()
		m.hostname = fmt.Sprintf("pod-%d", m.rand.IntN(1_000_000))
		full, unusable := m.rand.IntN(6) == 0, m.rand.IntN(6) == 0
		if unusable {
			m.unusable++
			m.replaceRejected()
		}
		if full {
			m.full++
			_, all := m.arraysInSpool()
			m.mayRepeat += all // the index can remember nothing until there is room
			fill := []func() error{m.disk.fill, m.disk.fillInodes}[m.rand.IntN(2)]
			m.must(fill())
		}
		m.run()
		m.must(m.disk.free())
		if unusable {
			m.restoreRejected()
		}
	}
}

// run is one run, which may be killed or told to end at a random moment.
func (m *mayhem) run() {
	largest, _ := m.arraysInSpool()
	p, err := m.spoolfwd("run", "--retry-timeout", "1ms", "--timeout", "1s",
		"--concurrency", []string{"1", "4", "16"}[m.rand.IntN(3)]).start()
	m.must(err)
	signal := []unix.Signal{0, 0, unix.SIGKILL, unix.SIGKILL, unix.SIGTERM}[m.rand.IntN(5)]
	if signal != 0 {
		time.AfterFunc(time.Duration(m.rand.IntN(100_000))*time.Microsecond, func() { p.cmd.Process.Signal(signal) })
	}
	o := p.wait()
	m.r.round(1)
	m.r.checkOutcome("everything", o)
	m.r.verbosef("full %d unusable %d down %v: exit code %d, %s", m.full, m.unusable, m.down, o.code, o.stderr)
	if o.signal == unix.SIGKILL {
		m.kills++
		m.mayRepeat += 16 + min(largest, 1000) // in flight, and since the last note of the progress
	}
}

// arraysInSpool counts the items of the largest array file in the spool, and of all.
func (m *mayhem) arraysInSpool() (largest, all int) {
	for _, path := range m.find("spool/*.json") {
		text, err := os.ReadFile(path)
		m.must(err)
		if n := len(itemsOf(string(text))); text[0] == '[' {
			largest, all = max(largest, n), all+n
		}
	}
	return largest, all
}

// produce spools good payloads, and now and then a cluster of bad ones that are older.
func (m *mayhem) produce() {
	if m.rand.IntN(3) == 0 {
		kind := "422"
		if m.rand.IntN(8) == 0 {
			kind = "500"
		}
		m.cluster(1+m.rand.IntN(40), kind)
	}
	for range 20 {
		m.cluster(1, "200")
	}
	m.cluster([]int{2, 5, 20, 100}[m.rand.IntN(4)], "200")
	if m.rand.IntN(25) == 0 {
		m.cluster(2500, "200")
	}
}

// cluster spools n payloads of one kind: in an array file, or in files of their own.
func (m *mayhem) cluster(n int, kind string) {
	var items []string
	for range n {
		m.n++
		items = append(items, item(m.n, kind))
	}
	if kind != "200" {
		m.bad += n
	}
	if n > 1 && (kind == "200" || m.rand.IntN(2) == 0) {
		m.array(fmt.Sprintf("buffer_%d.json", m.n), items...)
		return
	}
	for i, text := range items {
		m.object(fmt.Sprintf("buffer_%d_%d.json", m.n, i), text)
	}
}

// answer answers as the item says, on connections that die. A good item fails three times at most,
// so that --max-attempts never applies to it.
func (m *mayhem) answer(body string) answer {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := answerAsAsked(body)
	switch chance := m.listenerRand.IntN(100); {
	case a.status != 200:
	case m.down:
		a = answer{status: 503}
	case chance < 2 && m.failed[body] < 3:
		m.failed[body]++
		a.status = 503
	case chance < 6:
		m.dropped++
		a.connection = []string{dropReused, closeSilently, lateTimeout}[m.listenerRand.IntN(3)]
	}
	return a
}

// replaceRejected puts something else in the place of rejected/.
func (m *mayhem) replaceRejected() {
	rejected := filepath.Join(m.spool, "rejected")
	if err := os.Rename(rejected, filepath.Join(m.dir, "aside")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.must(err)
	}
	if m.rand.IntN(2) == 0 {
		m.must(os.WriteFile(rejected, []byte("mine"), 0o600))
	} else {
		m.must(os.Symlink("/nonexistent", rejected))
	}
}

func (m *mayhem) restoreRejected() {
	rejected := filepath.Join(m.spool, "rejected")
	m.must(os.Remove(rejected))
	if err := os.Rename(filepath.Join(m.dir, "aside"), rejected); err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.must(err)
	}
}

// finishGood lets runs without faults go on, with a new good payload for each, until no good one is
// left. A bad payload ahead of a good one costs a request, so there may be as many runs as bad
// ones.
func (m *mayhem) finishGood() {
	m.endpoint.answers(answerAsAsked)
	for runs := 0; ; runs++ {
		m.cluster(1, "200")
		o := m.runToEnd(m.r, "everything: run without faults", m.spoolfwd("run", "--retry-timeout", "1ms"))
		good, bad := 0, 0
		for _, body := range m.itemsInSpool(&inventory{}) {
			if isGood(body) {
				good++
			} else {
				bad++
			}
		}
		if good == 0 {
			return
		}
		m.r.verbosef("%d good payloads and %d bad ones are left: %s", good, bad, o)
		if runs > 20+bad {
			m.r.failf("everything: %d good payloads are still in the spool after %d runs without faults", good, runs)
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func isGood(body string) bool { return strings.Contains(body, `"answer":"200"`) }

// check fails for items that are lost and for good ones that were rejected.
func (m *mayhem) check(i inventory) {
	m.r.checkInventory("everything", i, m.mayRepeat)
	for _, rejected := range m.rejectedItems(&i) {
		if isGood(rejected.body) {
			m.r.failf("a good payload was rejected: %s", rejected.body)
		}
	}
}
