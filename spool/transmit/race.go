package transmit

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// race is one dial in progress. It belongs to the goroutine of the caller; every attempt has its
// own.
type race struct {
	d     *dialer
	ctx   context.Context
	host  string
	port  uint16
	known netip.AddrPort // worked before; invalid: none is known
	begin time.Time

	lookups  <-chan found
	pending  int          // lookups
	six      []netip.Addr // not tried yet
	four     []netip.Addr
	attempts chan attempt
	running  int  // attempts
	failed   bool // an attempt has
	errs     []error
}

// attempt is what became of one address.
type attempt struct {
	address netip.AddrPort
	conn    net.Conn
	err     error
}

// run tries the next address when none is being tried, when one has failed, and when none has
// answered for a while. When all known addresses have failed, the other family's are waited for no
// longer than for one more address: a name server may never tell them.
func (r *race) run() (attempt, error) {
	next := time.NewTimer(nextAddress)
	defer next.Stop()
	due := true     // the next address may be tried
	held := false   // it may, but IPv6 addresses are being waited for
	giveUp := false // when next fires: all known addresses have failed
	if r.known.IsValid() {
		due = false
		r.start(r.known)
	} else {
		r.lookup()
	}
	for {
		select {
		case f := <-r.lookups:
			r.pending--
			r.add(f)
			due = due || held || r.running == 0
			if held = due && r.pending > 0 && len(r.six) == 0 && len(r.four) > 0; held {
				due = false
				next.Reset(otherFamily)
			}
		case a := <-r.attempts:
			r.running--
			if a.err == nil {
				return a, nil
			}
			r.errs = append(r.errs, a.err)
			due, r.failed = true, true
		case <-next.C:
			if giveUp {
				return attempt{}, r.cause()
			}
			due, held = true, false
		case <-r.ctx.Done():
			return attempt{}, r.late()
		}
		if due && r.lookups == nil {
			r.lookup() // the address that worked before is dead or slow
		}
		if address, ok := r.next(due); ok {
			due, giveUp = false, false
			r.start(address)
			next.Reset(nextAddress)
		} else if r.running == 0 && due {
			switch {
			case r.pending == 0:
				return attempt{}, r.cause()
			case r.pending == 1 && r.failed && !giveUp:
				giveUp = true
				next.Reset(r.d.connectTimeout)
			}
		}
	}
}

func (r *race) lookup() { r.lookups, r.pending = r.d.lookupEach(r.ctx, r.host), 2 }

func (r *race) add(f found) {
	if f.err != nil {
		r.errs = append(r.errs, f.err)
	}
	for _, address := range f.addresses {
		switch {
		case address == r.known.Addr(): // is being tried, or has failed
		case address.Is4():
			r.four = append(r.four, address)
		default:
			r.six = append(r.six, address)
		}
	}
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	if r.pending == 1 || len(r.d.resolved) == 0 {
		r.d.resolved, r.d.took = nil, time.Since(r.begin)
	}
	r.d.resolved = append(r.d.resolved, f.addresses...)
}

// next takes addresses of the two families in turn, an IPv6 one first.
func (r *race) next(due bool) (netip.AddrPort, bool) {
	from, other := &r.six, &r.four
	if r.running%2 == 1 {
		from, other = other, from
	}
	if len(*from) == 0 {
		from = other
	}
	if !due || len(*from) == 0 {
		return netip.AddrPort{}, false
	}
	address := (*from)[0]
	*from = (*from)[1:]
	return netip.AddrPortFrom(address, r.port), true
}

func (r *race) start(address netip.AddrPort) {
	r.running++
	go func() {
		c, err := r.d.attempt(r.ctx, address)
		select {
		case r.attempts <- attempt{address, c, err}:
		case <-r.ctx.Done():
			if err == nil {
				c.Close()
			}
		}
	}()
}

// late is the error when the time is up: of the lookup, if no address was found to try.
func (r *race) late() error {
	if r.running > 0 {
		return r.ctx.Err()
	}
	for _, err := range r.errs {
		if dns := new(net.DNSError); !errors.As(err, &dns) {
			return r.cause()
		}
	}
	return &net.DNSError{Err: "i/o timeout", Name: r.host, IsTimeout: true}
}

// cause is the error that says most when every address has failed. A family that this machine does
// not have says less than a refused connection, and so does a family that a name server does not
// tell.
func (r *race) cause() error {
	var least error = &net.DNSError{Err: "no such host", Name: r.host, IsNotFound: true}
	for i, err := range r.errs {
		var dns *net.DNSError
		switch {
		case OutOfResources(err):
			return err
		case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL), errors.As(err, &dns):
			if i == 0 {
				least = err
			}
		default:
			return err
		}
	}
	return least
}
