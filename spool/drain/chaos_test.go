package drain_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// item makes up an item, now and then one that was there before.
func (c *chaos) item() string {
	if c.rand.IntN(4) == 0 {
		c.files++
		return fmt.Sprintf(`{"same":%d}`, c.rand.IntN(3))
	}
	return c.newItem(0)
}

// newItem makes up an item that never was there before, of more than size bytes.
func (c *chaos) newItem(size int) string {
	c.files++
	return fmt.Sprintf(`{"n":%d,"s":"]},{[\"%d%s"}`, c.files, c.rand.IntN(1000), strings.Repeat("x", size))
}

// produce spools one file, the way producers do.
func (c *chaos) produce() {
	c.files++
	name := fmt.Sprintf("buffer_%d_%08x.json", c.files, c.rand.Uint32())
	c.fill(name, c.item)
}

// produceBad spools a cluster of items that the listener never accepts, older than all others: in
// an array file, or in files of their own.
func (c *chaos) produceBad() {
	status := []int{422, 500}[c.rand.IntN(2)]
	var items []string
	for range 1 + c.rand.IntN(mostItems) {
		c.files++
		items = append(items, fmt.Sprintf(`{"bad":%d,"n":%d}`, status, c.files))
	}
	c.files++
	name := fmt.Sprintf("buffer_%d_%08x", c.files, c.rand.Uint32())
	for i, item := range items {
		c.spooled[item]++
		if len(items)%2 == 0 {
			c.write(fmt.Sprintf("%s_%d.json", name, i), item, time.Minute)
		}
	}
	if len(items)%2 == 1 {
		c.write(name+".json", "["+strings.Join(items, ",")+"]", time.Minute)
	}
}

func isGood(item string) bool { return !strings.HasPrefix(item, `{"bad":`) }

// occupyRejected puts a file in the place of rejected/, which can then take nothing.
func (c *chaos) occupyRejected() {
	c.noRejects++
	rejected := filepath.Join(c.dir, spool.RejectedDir)
	if err := os.Rename(rejected, c.dir+".aside"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(rejected, nil, 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c *chaos) freeRejected() {
	rejected := filepath.Join(c.dir, spool.RejectedDir)
	if err := os.Remove(rejected); err != nil {
		c.t.Fatal(err)
	}
	if err := os.Rename(c.dir+".aside", rejected); err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.t.Fatal(err)
	}
}

// fill writes a file of items, under a name that may be taken.
func (c *chaos) fill(name string, item func() string) {
	var items []string
	var content string
	if c.rand.IntN(3) == 0 {
		for range c.rand.IntN(mostItems + 1) {
			items = append(items, item())
		}
		content = "[" + strings.Join(items, []string{",", " ,\n"}[c.rand.IntN(2)]) + "]"
	} else {
		items = []string{item()}
		content = items[0]
	}
	c.write(name, content, time.Duration(c.rand.IntN(10))*time.Second)
	for _, item := range items {
		c.spooled[item]++
	}
}

// produceJunk puts entries there that are not payload files.
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

// change is a producer who changes a file in the middle of a run: the one that is being sent if
// there is one, otherwise any. The items that it held may be delivered or not; the items that it
// holds now must be.
//
// A change between the last look at a file and its removal, microseconds later, cannot be seen with
// Unix file names. So this is done in runs with one request at a time only, where nothing is
// removed during a request.
func (c *chaos) change(body string) {
	name, content := c.pick(body)
	if name == "" {
		return
	}
	c.changes++
	items := itemsOf(c.t, content)
	c.mayRepeat(items)
	path := filepath.Join(c.dir, name)
	array := content[0] == '['
	how := c.rand.IntN(3)
	if how == 2 && array { // appended to in place: what it held is still there
		item := c.newItem(0)
		text := "," + item + "]"
		if len(items) == 0 {
			text = text[1:]
		}
		c.overwrite(path, text, int64(len(content)-1), false)
		c.spooled[item]++
		c.repeat[item] = true // an ever longer file may be changed again after it was sent
		return
	}
	for _, item := range items {
		c.spooled[item]--
		c.doubtful[item]++
	}
	switch how {
	case 0:
		if err := os.Remove(path); err != nil {
			c.t.Error(err)
		}
	case 1:
		c.fill(name, func() string { return c.newItem(0) })
	case 2: // another size, because the times of a file may be too coarse to tell
		item := c.newItem(len(content))
		c.overwrite(path, item, 0, true)
		c.spooled[item]++
	}
}

func (c *chaos) overwrite(path, text string, at int64, truncate bool) {
	flags := os.O_WRONLY
	if truncate {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(path, flags, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(text), at); err != nil {
		c.t.Fatal(err)
	}
	if err := os.Chtimes(path, c.now, c.now); err != nil {
		c.t.Fatal(err)
	}
}

// pick finds a producer's file, preferably one that holds an item.
func (c *chaos) pick(item string) (name, content string) {
	for _, n := range c.names() {
		if !c.isOurs(n) {
			continue
		}
		text := c.read(n)
		if strings.Contains(text, item) {
			return n, text
		}
		if name == "" || c.rand.IntN(3) == 0 {
			name, content = n, text
		}
	}
	return name, content
}

// isOurs tells producers' files from junk and from what was cut out of them, which bears its key in
// its name and is nobody's to change.
func (c *chaos) isOurs(name string) bool {
	return strings.HasPrefix(name, "buffer_") && strings.HasSuffix(name, ".json") && !strings.Contains(name, ".key-")
}

func (c *chaos) mayRepeat(items []string) {
	for _, item := range items {
		c.repeat[item] = true
	}
}

// answer is the listener: it may be in any mood, and while it thinks, producers go on, files can no
// longer be removed, and the machine may die.
func (c *chaos) answer(body string) transmit.Verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.calm && !c.quiet && c.unlock == nil {
		c.meddle(body)
	}
	if c.crashIn == 0 && c.rand.IntN(2) == 0 {
		panic(killed{}) // before it was delivered
	}
	c.crashIn--
	switch {
	case !c.calm && strings.HasPrefix(body, `{"bad":422`):
		return refuses(422)
	case !c.calm && strings.HasPrefix(body, `{"bad":500`):
		return fails(500)
	case c.rand.IntN(100) >= c.mood:
		return ok()
	}
	switch c.rand.IntN(5) {
	case 0:
		return down()
	case 1:
		return transmit.Verdict{Action: transmit.Aborted, Err: fmt.Errorf("too many open files")}
	}
	// A good item never fails so often while others pass that it may be rejected for that.
	if c.failed[body]++; c.mood < 100 && c.failed[body] >= c.config.MaxAttempts {
		return ok()
	}
	if c.rand.IntN(4) == 0 {
		v := fails(429)
		v.RetryAfter = time.Duration(c.rand.IntN(100)) * time.Second
		return v
	}
	return fails(500 + c.rand.IntN(5))
}

// meddle is what others do while a request is under way.
func (c *chaos) meddle(body string) {
	if c.rand.IntN(20) == 0 {
		c.produce()
	}
	if c.config.Concurrency > 1 {
		return
	}
	switch c.rand.IntN(25) {
	case 0, 1:
		c.change(body)
	case 2:
		if unlock, ok := lockDir(c.t, c.dir); ok {
			c.unlock = unlock
			c.locks++
		}
	case 3:
		if unlock, ok := lockDir(c.t, c.stateDir); ok {
			c.unlock, c.unsaved = unlock, true
			c.noStates++
		}
	}
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
	c.ledger.answered(v)
	return v
}
