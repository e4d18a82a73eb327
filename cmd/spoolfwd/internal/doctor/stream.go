package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool/transmit/jetstream/stream"
)

// shortWindow is the duplicate window below which an item can be stored twice after an outage that
// happens.
const shortWindow = time.Hour

// nats looks at the servers and at the stream, and publishes nothing.
func (d *doctor) nats(ctx context.Context, p publisher) {
	if d.Offline {
		d.expiry("client certificate", p.CertificateEnd())
		return
	}
	t, found := p.Target(), p.Inspect(ctx)
	usable := slices.ContainsFunc(found.Servers, func(s stream.Server) bool { return s.Err == nil })
	least := int64(0)
	for _, s := range found.Servers {
		switch {
		case s.Err != nil && usable:
			d.warn("server", d.Hint(s.Err), "%s is left for the others: %v", s.Address, s.Err)
			continue
		case s.Err != nil:
			d.fail("server", "", exit.With(exit.Left, fmt.Errorf("%s: %w", s.Address, s.Err)))
			continue
		}
		security := "without TLS"
		if s.TLS != "" {
			security = s.TLS
		}
		d.ok("server", "%s is NATS %s, %s, and takes messages of up to %s", s.Address, s.Version, security, console.Size(s.MaxPayload))
		if s.Exposed {
			d.warn("token", "write tls:// in --url", "the password or token is sent unencrypted to %s", s.Address)
		}
		d.expiry("certificate of "+s.Address, s.NotAfter)
		if least == 0 || s.MaxPayload < least {
			least = s.MaxPayload
		}
	}
	d.expiry("client certificate", p.CertificateEnd())
	if !usable {
		return
	}
	if least < d.MaxFileSize {
		d.warn("server", "raise max_payload of the servers, or lower --max-file-size to what they take",
			"payload files of up to %s are read, and an item that is larger than a message of %s is rejected", console.Size(d.MaxFileSize), console.Size(least))
	}
	switch {
	case found.Err != nil:
		d.warn("stream", "allow the user to ask $JS.API.STREAM.NAMES and $JS.API.STREAM.INFO.*, and turn JetStream on for the account; 'nats stream info' looks by hand",
			"nothing is known of the stream: %v", found.Err)
	case len(found.Streams) == 0:
		d.fail("stream", fmt.Sprintf("check --url, or make one: nats stream add NAME --subjects='%s' --storage=file --replicas=3 --dupe-window=24h", t.Pattern()),
			exit.With(exit.Left, fmt.Errorf("no stream takes %s", t.Pattern())))
	}
	for _, s := range found.Streams {
		d.stream(t, s)
	}
}

// stream judges what an acknowledgement of s is worth.
func (d *doctor) stream(t stream.Target, s stream.Info) {
	const about = "stream"
	c := s.Config
	edit := "nats stream edit " + c.Name + " "
	d.ok(about, "%s takes %s: %s in %s storage, duplicate window %s, %s", c.Name, t.Pattern(),
		console.Count(c.Replicas, "replica"), c.Storage, console.Duration(c.Window), fullOf(s))
	if !s.Takes(t.Pattern()) {
		d.warn(about, edit+"--subjects=...", "the stream takes only a part of %s: %s", t.Pattern(), strings.Join(c.Subjects, ", "))
	}
	switch {
	case c.NoAck:
		d.broken(about, edit+"--ack", errors.New("the stream acknowledges nothing: no item would ever be delivered"))
	case c.Sealed:
		d.broken(about, "make another stream", errors.New("the stream is sealed: it takes nothing any more"))
	}
	if c.Replicas < 3 {
		d.warn(about, edit+"--replicas=3", "with %s, the loss of one server loses or stops the stream", console.Count(c.Replicas, "replica"))
	}
	switch {
	case c.Storage == "memory":
		d.warn(about, "make another stream, with --storage=file", "the stream is in memory only: a restart of its servers loses what was acknowledged")
	case c.PersistMode == "async":
		d.warn(about, "make another stream, without that persist mode", "the stream acknowledges before it writes: what was acknowledged can be lost when its server ends")
	default:
		d.ok(about, "what is acknowledged may not be on disk yet: servers sync every 2 minutes unless sync_interval is always, which only their system account can tell")
	}
	if c.Window < shortWindow && !t.KnowsKeys(s) {
		d.warn(about, edit+"--dupe-window=24h", "the stream knows an item again for %s only: one that is sent again later is stored twice", console.Duration(c.Window))
	}
	switch {
	case c.Retention == "interest" && s.State.Consumers == 0:
		d.broken(about, "make a consumer that lasts: nats consumer add "+c.Name, errors.New("the stream has no consumer, and by its interest policy acknowledges and drops what comes"))
	case c.Retention == "interest" || c.Retention == "workqueue":
		// A server that starts again learns the keys from the messages.
		d.warn(about, "make another stream, with --retention=limits", "the stream removes what was read, and its servers forget the keys of that when they start again: an item that is sent again then is stored twice")
	}
	if c.MaxPerSubject > 0 && !c.PerSubject && !t.HasOwnSubjects(s) {
		d.warn(about, edit+"--max-msgs-per-subject=-1", "the stream keeps only the newest %s of each subject: an item takes the place of another", console.Count(int(c.MaxPerSubject), "message"))
	}
	if c.MaxMsgSize > 0 && c.MaxMsgSize < d.MaxFileSize {
		d.warn(about, edit+"--max-msg-size=-1", "an item that is larger than a message of %s is rejected", console.Size(c.MaxMsgSize))
	}
	if s.Cluster == nil {
		return
	}
	if s.Cluster.Leader == "" {
		d.broken(about, "look at the servers' log", errors.New("the stream has no leader"))
	}
	for _, r := range s.Cluster.Replicas {
		if r.Offline || !r.Current {
			d.warn(about, "look at that server", "the replica on %s is offline or behind", r.Name)
		}
	}
}

// fullOf says what a stream does when it is full.
func fullOf(s stream.Info) string {
	var limits []string
	if s.Config.MaxMsgs > 0 {
		limits = append(limits, fmt.Sprintf("%d messages", s.Config.MaxMsgs))
	}
	if s.Config.MaxBytes > 0 {
		limits = append(limits, console.Size(s.Config.MaxBytes))
	}
	if s.Config.MaxPerSubject > 0 && (s.Config.PerSubject || s.Config.Discard == "old") {
		limits = append(limits, console.Count(int(s.Config.MaxPerSubject), "message")+" of each subject")
	}
	text := "no limit"
	if len(limits) > 0 {
		text = "refuses more than " + strings.Join(limits, " or ")
		if s.Config.Discard == "old" {
			text = "drops the oldest above " + strings.Join(limits, " or ")
		}
	}
	if s.Config.MaxAge > 0 {
		text += ", drops after " + console.Duration(s.Config.MaxAge)
	}
	if s.Config.Retention == "interest" {
		text += ", keeps only what a consumer still waits for"
	}
	return text
}
