package jetstream

import (
	"cmp"
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
)

// link is one connection to one server, and the requests that wait on it. The library's own
// requests could block in a write for longer than they may take, and would not tell a refused
// subject from a slow stream.
type link struct {
	nc    *nats.Conn
	raw   net.Conn // below nc: closing it ends a write that does not end
	inbox string   // answers come to subjects below it

	mu      sync.Mutex // guards the fields below
	waiting map[string]waiter
	last    uint64
	lost    error // why no answer comes any more; nil: one may come
	retired bool  // closed when nobody waits any more
}

type waiter struct {
	subject string
	answer  chan answer // with room for the one that counts
}

type answer struct {
	msg *nats.Msg
	err error
}

var (
	errLost    = errors.New("the connection ended")
	errReplies = errors.New("the user may not subscribe to the answers")
	// errUnsent says that nothing of a message has left.
	errUnsent = errors.New("the connection had ended before")
)

// listen subscribes to the answers. It returns when the server has taken that, or refused it: an
// item must not be stored whose acknowledgement nobody hears.
func (l *link) listen(ctx context.Context) error {
	l.inbox = nats.NewInbox() + "."
	if _, err := l.nc.Subscribe(l.inbox+"*", l.answered); err != nil {
		return err
	}
	if err := l.nc.FlushWithContext(ctx); err != nil {
		return cmp.Or(l.nc.LastError(), err)
	}
	if errors.Is(l.nc.LastError(), nats.ErrPermissionViolation) {
		return errReplies
	}
	return nil
}

// request publishes m and waits for the answer. sent says whether some of it may have reached the
// server.
func (l *link) request(ctx context.Context, m *nats.Msg) (reply *nats.Msg, sent bool, err error) {
	token, w, err := l.await(m.Subject)
	if err != nil {
		return nil, false, errUnsent
	}
	defer l.forget(token)
	m.Reply = l.inbox + token
	stop := context.AfterFunc(ctx, func() { l.raw.Close() })
	err = l.nc.PublishMsg(m)
	stop()
	switch {
	case errors.Is(err, nats.ErrConnectionClosed):
		return nil, false, errUnsent
	case errors.Is(err, nats.ErrMaxPayload) || errors.Is(err, nats.ErrHeadersNotSupported):
		return nil, false, err
	case err != nil && ctx.Err() == nil:
		return nil, true, err
	}
	select {
	case a := <-w.answer:
		return a.msg, true, a.err
	case <-ctx.Done():
		return nil, true, ctx.Err()
	}
}

func (l *link) await(subject string) (token string, w waiter, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost != nil {
		return "", w, l.lost
	}
	l.last++
	token, w = strconv.FormatUint(l.last, 36), waiter{subject, make(chan answer, 1)}
	l.waiting[token] = w
	return token, w, nil
}

func (l *link) forget(token string) {
	l.mu.Lock()
	delete(l.waiting, token)
	over := l.retired && len(l.waiting) == 0
	l.mu.Unlock()
	if over {
		l.close()
	}
}

// answered hands an answer to the request that it belongs to.
func (l *link) answered(m *nats.Msg) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w, ok := l.waiting[strings.TrimPrefix(m.Subject, l.inbox)]; ok {
		w.tell(answer{msg: m})
	}
}

// failed takes what the server says of no request in particular. A refused subject has no other
// answer.
func (l *link) failed(err error) {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return // it closes the connection, or concerns no request
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.waiting {
		if strings.Contains(err.Error(), `Publish to "`+w.subject+`"`) {
			w.tell(answer{err: err})
		}
	}
}

// lose fails the requests that wait, and those to come.
func (l *link) lose(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = cmp.Or(l.lost, err, errLost)
	for _, w := range l.waiting {
		w.tell(answer{err: l.lost})
	}
}

func (l *link) isLost() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost != nil
}

// retire closes the connection when the requests that wait on it have ended.
func (l *link) retire() {
	l.mu.Lock()
	l.retired = true
	over := len(l.waiting) == 0
	l.mu.Unlock()
	if over {
		l.close()
	}
}

// close ends the connection, whatever the other side does.
func (l *link) close() {
	l.lose(errLost)
	l.raw.Close() // first: the library would wait for a last write
	l.nc.Close()
}

func (w waiter) tell(a answer) {
	select {
	case w.answer <- a:
	default: // it has one
	}
}
