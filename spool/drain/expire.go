package drain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

// expireFor is how long a run moves payload files to rejected/ before it begins to send. Where a
// disk syncs slowly, the next run goes on.
const expireFor = 10 * time.Second

// bounded reports whether payload files can expire.
func (c Config) bounded() bool { return c.MaxAge > 0 || c.MaxSpoolBytes > 0 || c.MaxSpoolFiles > 0 }

// expire moves the payload files to rejected/ that are beyond the bounds of the spool.
func (r *run) expire() error {
	x := expiry{cfg: r.cfg, ctx: r.ctx, move: r.moveExpired}
	err := x.apply(r.queue.scanner, &r.queue.page)
	if r.report.Expired.Files > 0 {
		r.report.addLocalErrorLocked(r.cfg.Spool.SyncRejected())
	}
	r.report.addLocalErrorLocked(x.unread)
	r.report.addLocalErrorLocked(x.unmoved) // these payloads stay and can be sent
	return err
}

// moveExpired moves one payload file to rejected/, and reports whether it is gone from the spool.
func (r *run) moveExpired(p *spool.Payload, why error) (gone bool, err error) {
	err = r.cfg.Spool.Expire(p, spool.Reason{Time: r.now(), Error: why.Error()})
	switch {
	case err == nil:
		r.report.Expired.add(p)
		r.forgetFileLocked(p)
		return true, nil
	case r.isLostLocked(p, err):
		return errors.Is(err, spool.ErrVanished), nil
	}
	return false, err
}

// An expiry takes the payload files out of a run's first page that are beyond the bounds of the
// spool, the oldest first.
type expiry struct {
	cfg  Config
	ctx  context.Context // nil: it is not to be interrupted
	move func(p *spool.Payload, why error) (gone bool, err error)

	files int         // that are too many; 0 or less: none
	bytes int64       // that are too many
	until time.Time   // nothing is moved later
	last  spool.Entry // that was moved
	buf   []byte      // of payload files, used again and again

	unread  error // the first fault of this machine that kept a file from being read
	unmoved error // of a move; nothing is moved after it
}

// apply goes on with further pages if all of the first one is gone. An error is one of theirs.
func (x *expiry) apply(pages *spool.Scanner, page *spool.Page) error {
	if !x.cfg.bounded() {
		return nil
	}
	x.until = x.cfg.Now().Add(expireFor)
	if x.cfg.MaxSpoolFiles > 0 {
		x.files = page.Files - x.cfg.MaxSpoolFiles
	}
	if x.cfg.MaxSpoolBytes > 0 {
		x.bytes = page.Bytes - x.cfg.MaxSpoolBytes
	}
	for {
		if page.Entries.Len() > 0 && x.beyond(page.Entries.At(0)) != nil { // otherwise none is, as in most runs
			page.Entries.DeleteFunc(x.expires)
		}
		if page.Entries.Len() > 0 || !page.More {
			break
		}
		page.Entries = spool.Entries{} // lets go of one page before there is another
		next, err := pages.Next()
		if err != nil {
			return err
		}
		page.Entries, page.More = next.Entries, next.More
	}
	if x.last != (spool.Entry{}) {
		page.Youngest = slices.DeleteFunc(page.Youngest, func(e spool.Entry) bool { return e.Compare(x.last) <= 0 })
	}
	return nil
}

// beyond returns why an entry is beyond the bounds of the spool, or nil.
func (x *expiry) beyond(e spool.Entry) error {
	switch {
	case x.files > 0:
		return fmt.Errorf("expired: the spool held more than %d payload files", x.cfg.MaxSpoolFiles)
	case x.bytes > 0:
		return fmt.Errorf("expired: the spool held more than %d bytes", x.cfg.MaxSpoolBytes)
	case x.cfg.MaxAge > 0 && e.Age(x.cfg.Now()) > x.cfg.MaxAge:
		return fmt.Errorf("expired: it waited for more than %v", x.cfg.MaxAge)
	}
	return nil
}

// expires moves a payload file that is beyond the bounds, and reports whether it is gone. One that
// cannot be read stays, and so does one of which the index knows that items are delivered: it only
// waits for its removal.
func (x *expiry) expires(e spool.Entry) (gone bool) {
	why := x.beyond(e)
	if why == nil || x.unmoved != nil || x.cfg.Now().After(x.until) || x.ctx != nil && x.ctx.Err() != nil {
		return false
	}
	p, err := x.cfg.Spool.Read(e, x.cfg.Now(), x.buf)
	if p.Data != nil {
		x.buf = p.Data
	}
	var refused *spool.RefuseError
	var skipped *spool.SkipError
	switch {
	case x.cfg.Index.holdsDeliveredLocked(e.Name), errors.As(err, &skipped), errors.Is(err, spool.ErrVanished):
		return false
	case err != nil && !errors.As(err, &refused):
		x.unread = cmp.Or(x.unread, err)
		return false
	}
	if arrived, ok := p.Arrived(); x.files <= 0 && x.bytes <= 0 && (!ok || x.cfg.Now().Sub(arrived) <= x.cfg.MaxAge) {
		return false
	}
	if gone, x.unmoved = x.move(p, why); gone {
		x.files--
		x.bytes -= e.Size
		x.last = e
	}
	return gone
}
