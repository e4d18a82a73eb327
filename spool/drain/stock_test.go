package drain_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/bitville-apm/spoolfwd/spool"
)

type tally struct{ spooled, delivered, again, rejected, crashes int }

func (a *tally) add(b tally) {
	a.spooled += b.spooled
	a.delivered += b.delivered
	a.again += b.again
	a.rejected += b.rejected
	a.crashes += b.crashes
}

// takeStock checks conservation: as many distinct keys as there were equal items
// must have been delivered or be in rejected/, and no more.
func (c *chaos) takeStock() (sum tally) {
	c.t.Helper()
	sum.crashes = c.crashes
	keys := map[string]map[string]bool{} // by item
	note := func(body, key string) (known bool) {
		if keys[body] == nil {
			keys[body] = map[string]bool{}
		}
		known = keys[body][key]
		keys[body][key] = true
		return known
	}
	for _, r := range c.listener.good {
		sum.delivered++
		if note(string(r.Body), r.Key) {
			sum.again++
			if c.crashes == 0 {
				c.t.Errorf("%s was delivered twice under the key %s although nothing crashed", r.Body, r.Key)
			}
		}
	}
	for _, name := range c.rejected() {
		sum.rejected++
		var reason spool.Reason
		why, err := os.ReadFile(filepath.Join(c.dir, spool.RejectedDir, name+".reason.json"))
		if err != nil || json.Unmarshal(why, &reason) != nil || reason.Error == "" {
			c.t.Errorf("the rejected %s has no reason", name)
		}
		note(c.read(filepath.Join(spool.RejectedDir, name)), reason.Key)
	}
	for item, n := range c.spooled {
		sum.spooled += n
		if got := len(keys[item]); got != n {
			c.t.Errorf("%s was spooled %d times, and %d of them were delivered or rejected", item, n, got)
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
	// At most one item a crash, or of an array file those since it was last
	// rewritten, which here is never more than it holds.
	if most := c.crashes * mostItems; sum.again > most {
		c.t.Errorf("%d items were delivered again after %d crashes", sum.again, c.crashes)
	}
	return sum
}
