package drain_test

import (
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
)

func TestARunRefusesAConfigThatMakesNoSense(t *testing.T) {
	for _, c := range []struct {
		name string
		raw  bool
		cfg  drain.Config
		says string
	}{
		{name: "too many requests in flight", cfg: drain.Config{Concurrency: 1025}, says: "concurrency 1025: must be between 1 and 1024"},
		{name: "too many requests in flight by themselves", cfg: drain.Config{MaxConcurrency: 1025}, says: "concurrency 1025: must be between 1 and 1024"},
		{name: "less than one request in flight", cfg: drain.Config{Concurrency: -1}, says: "concurrency -1: must be between 1 and 1024"},
		{name: "a batch that is too large", cfg: drain.Config{BatchItems: 100_001}, says: "batch of 100001 items: must be between 1 and 100000"},
		{name: "a batch of what is not JSON", raw: true, cfg: drain.Config{BatchItems: 2}, says: "batch of 2 items: only JSON can be batched"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := spool.Open(spool.Config{Dir: t.TempDir(), Raw: c.raw})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			c.cfg.Spool = s
			if _, err := drain.Run(t.Context(), c.cfg); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Run says %v, want %q", err, c.says)
			}
			if _, err := drain.Plan(c.cfg, nil); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Plan says %v, want %q", err, c.says)
			}
		})
	}
}
