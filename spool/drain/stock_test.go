package drain_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/bitville-apm/spoolfwd/spool"
)

type tally struct{ spooled, doubtful, delivered, again, rejected, crashes, changes, locks, noStates, noRejects int }

func (a *tally) add(b tally) {
	a.spooled += b.spooled
	a.doubtful += b.doubtful
	a.delivered += b.delivered
	a.again += b.again
	a.rejected += b.rejected
	a.crashes += b.crashes
	a.changes += b.changes
	a.locks += b.locks
	a.noStates += b.noStates
	a.noRejects += b.noRejects
}

// takeStock checks conservation: as many distinct keys as there were equal items must have been
// delivered or be in rejected/, and no more; and no two items may share one.
func (c *chaos) takeStock() (sum tally) {
	c.t.Helper()
	sum.crashes, sum.changes, sum.locks, sum.noStates, sum.noRejects = c.crashes, c.changes, c.locks, c.noStates, c.noRejects
	c.everyKeyIsOneItems()
	keys := map[string]map[string]bool{} // by item
	note := func(body, key string) (known bool) {
		if keys[body] == nil {
			keys[body] = map[string]bool{}
		}
		known = keys[body][key]
		keys[body][key] = true
		return known
	}
	unexplained := 0
	for _, r := range c.listener.good {
		sum.delivered++
		if !note(string(r.Body), r.Key) {
			continue
		}
		sum.again++
		if c.repeat[string(r.Body)] {
			continue
		}
		unexplained++
		if c.crashes == 0 {
			c.t.Errorf("%s was delivered twice under the key %s although nothing crashed", r.Body, r.Key)
		}
	}
	for _, name := range c.rejected() {
		sum.rejected++
		item := c.read(filepath.Join(spool.RejectedDir, name))
		if isGood(item) {
			c.t.Errorf("%s is good and was rejected: %s", item, c.reason(name).Error)
		}
		note(item, c.reason(name).Key)
	}
	for item, n := range c.spooled {
		sum.spooled += n
		sum.doubtful += c.doubtful[item]
		if got := len(keys[item]); got < n || got > n+c.doubtful[item] {
			c.t.Errorf("%s was spooled %d times (and %d times more, taken back by its producer), and %d of them were delivered or rejected", item, n, c.doubtful[item], got)
		}
		delete(keys, item)
	}
	for item := range keys {
		c.t.Errorf("%s was delivered or rejected and never spooled", item)
	}
	for _, name := range c.names() {
		if !strings.HasPrefix(name, "junk") && !strings.HasPrefix(name, ".") { // temporaries are swept when there is work
			c.t.Errorf("%s is still in the spool of a healthy listener", name)
		}
	}
	// At most one item a crash, or of an array file those since it was last rewritten, which here
	// is never more than it holds.
	if most := c.crashes * mostItems; unexplained > most {
		c.t.Errorf("%d items were delivered again after %d crashes", unexplained, c.crashes)
	}
	return sum
}

func (c *chaos) reason(name string) (reason spool.Reason) {
	c.t.Helper()
	why, err := os.ReadFile(filepath.Join(c.dir, spool.RejectedDir, name+".reason.json"))
	if err != nil || json.Unmarshal(why, &reason) != nil || reason.Error == "" {
		c.t.Errorf("the rejected %s has no reason", name)
	}
	return reason
}

// everyKeyIsOneItems: a listener that has had a key takes whatever comes under it again for the
// same item, and would drop another one.
func (c *chaos) everyKeyIsOneItems() {
	c.t.Helper()
	bodies := map[string]string{}
	see := func(key, body string) {
		if known, seen := bodies[key]; seen && known != body {
			c.t.Errorf("%s and %s share the key %s", known, body, key)
		}
		bodies[key] = body
	}
	for _, r := range c.listener.got {
		see(r.Key, string(r.Body))
	}
	for _, name := range c.rejected() {
		see(c.reason(name).Key, c.read(filepath.Join(spool.RejectedDir, name)))
	}
}
