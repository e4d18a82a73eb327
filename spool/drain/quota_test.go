package drain

import (
	"context"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/spool"
)

// Deliveries make room on a full disk and below a quota. Any other error says that no other file
// can be rewritten either.
func TestARunGoesOnWhenAFullDiskOrAQuotaAllowsNoRewrite(t *testing.T) {
	for errno, isStopped := range map[unix.Errno]bool{unix.ENOSPC: false, unix.EDQUOT: false, unix.EIO: true} {
		r := newRun(context.Background(), Config{}.withDefaults())
		p := &spool.Payload{Entry: spool.Entry{Name: "x.json"}, Items: make([]spool.Item, 2)}
		r.stuckLocked(p, []int{0}, fmt.Errorf("x.json: rewrite: %w", errno))
		if r.stopped != isStopped {
			t.Errorf("after %v the run is stopped: %v", errno, r.stopped)
		}
	}
}
