package transmit

import (
	"sync"
	"time"
)

// pool keeps idle connections, the most recently used on top: the others grow old and are found closed, as they should be
// when fewer are needed.
type pool struct {
	mu     sync.Mutex
	max    int
	idle   []*conn
	closed bool
}

// take returns an idle connection that is fit for a request until limit, or nil.
func (p *pool) take(limit time.Time) *conn {
	for {
		c := p.pop()
		if c == nil || c.fit(limit) {
			return c
		}
		c.close()
	}
}

func (p *pool) pop() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	c := p.idle[n-1]
	p.idle[n-1] = nil
	p.idle = p.idle[:n-1]
	return c
}

func (p *pool) put(c *conn) {
	p.mu.Lock()
	keep := !p.closed && len(p.idle) < p.max
	if keep {
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	if !keep {
		c.close()
	}
}

// empty closes the idle connections.
func (p *pool) empty() {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, c := range idle {
		c.close()
	}
}

func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.empty()
}
