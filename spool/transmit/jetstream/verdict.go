package jetstream

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
	"github.com/bitville-apm/spoolfwd/spool/transmit/h1"
)

// acknowledgement is what a stream answers.
type acknowledgement struct {
	Stream   string `json:"stream"`
	Sequence uint64 `json:"seq"`
	Error    *struct {
		Code        int    `json:"code"` // like HTTP's
		ErrCode     int    `json:"err_code"`
		Description string `json:"description"`
	} `json:"error"`
}

// Statuses of answers that have none of their own, for those who count by status.
const (
	stored   = 200
	tooLarge = 413
	nobody   = 503
)

// What streams answer, by err_code of the server's errors.json.
const (
	clusterUnavailable  = 10008
	notLeader           = 10009
	noResources         = 10023
	memoryExceeded      = 10028
	storageExceeded     = 10047
	accountExceeded     = 10002
	messageTooLarge     = 10054
	storeFailed         = 10077 // for one of the reasons below
	headerTooLarge      = 10097
	duplicateInProcess  = 10158
	reasonSubjectFull   = "maximum messages per subject exceeded"
	reasonMessagesFull  = "maximum messages exceeded"
	reasonBytesFull     = "maximum bytes exceeded"
	reasonTooLargeStore = "message too large"
)

// errKnown is the answer of a stream that perhaps has the item, since its subject holds the key.
var errKnown = errors.New("the item's own subject is full")

// settleKnown finds out whether the stream has the item. Its refusal alone does not say so: it may
// speak of a message that is still on its way to the replicas, and get lost with the leader, or of
// another item, if the servers map subjects.
func (t *Transmitter) settleKnown(ctx context.Context, l *link, stream, subject string, v transmit.Verdict) (transmit.Verdict, time.Duration) {
	var got struct {
		Message struct {
			Subject string `json:"subject"`
		} `json:"message"`
	}
	err := t.ask(ctx, l, "STREAM.MSG.GET."+stream, map[string]string{"last_by_subj": subject}, &got)
	switch {
	case err == nil && got.Message.Subject == subject:
		return transmit.Verdict{Action: transmit.Delivered, Status: stored}, final
	case err == nil:
		err = errors.New("it has it under another subject")
	}
	v.Err = t.base.Error(transmit.NATSNotShown, v.Status, err, "the stream "+stream+" has a message under the item's own subject, and does not show it: "+text(err))
	if errors.Is(err, nats.ErrPermissionViolation) {
		return v, final
	}
	return v, pause
}

// judge turns an answer into a verdict. For the wait see publish.
func (t *Transmitter) judge(m *nats.Msg) (v transmit.Verdict, a acknowledgement, wait time.Duration) {
	if len(m.Data) == 0 && m.Header.Get("Status") == "503" { // the server's own answer: no responders
		v.Status = nobody
		v.Err = t.base.Error(transmit.NATSNoStream, nobody, nats.ErrNoResponders,
			"no stream takes the subject, or it has no leader at the moment")
		return v, a, pause
	}
	err := json.Unmarshal(m.Data, &a)
	switch {
	case err != nil || a.Error == nil && (a.Stream == "" || a.Sequence == 0):
		v.Sent, v.Excerpt = true, t.base.Excerpt(m.Data)
		v.Err = t.base.Error(transmit.NATSNotStored, 0, nil, "the answer is not the acknowledgement of a stream")
		return v, a, final
	case a.Error == nil:
		return transmit.Verdict{Action: transmit.Delivered, Status: stored}, a, final
	}
	reason := a.Error.Description
	cause := transmit.NATSUnavailable
	v.Status, wait = a.Error.Code, final
	switch a.Error.ErrCode {
	case storeFailed:
		switch {
		case strings.HasPrefix(reason, reasonTooLargeStore):
			cause, v.Action, v.Status = transmit.NATSTooLarge, transmit.Rejected, tooLarge
		case strings.HasPrefix(reason, reasonSubjectFull), strings.HasPrefix(reason, reasonMessagesFull), strings.HasPrefix(reason, reasonBytesFull):
			cause = transmit.NATSStreamFull
		}
	case messageTooLarge, headerTooLarge:
		cause, v.Action, v.Status = transmit.NATSTooLarge, transmit.Rejected, tooLarge
	case noResources, memoryExceeded, storageExceeded, accountExceeded:
		cause = transmit.NATSStreamFull
	case clusterUnavailable, notLeader, duplicateInProcess:
		wait = pause
	}
	if strings.HasPrefix(reason, reasonSubjectFull) && t.target.Subject.Uses("key") {
		err = errKnown
	}
	v.Excerpt = t.base.Excerpt([]byte(reason))
	v.Err = t.base.Error(cause, v.Status, err, fmt.Sprintf("the stream %s answered: %s (%d)", a.Stream, reason, a.Error.ErrCode))
	return v, a, wait
}

// tooLarge is the verdict of a message that the server would take for an attack, and never reads.
func (t *Transmitter) tooLarge(limit int64) transmit.Verdict {
	what := fmt.Sprintf("the item and its headers are larger than the server's max_payload of %d bytes", limit)
	return transmit.Verdict{
		Action: transmit.Rejected, Status: tooLarge, Excerpt: []byte(what),
		Err: t.base.Error(transmit.NATSTooLarge, tooLarge, nats.ErrMaxPayload, what),
	}
}

// unanswered is the verdict of a request whose time is up.
func (t *Transmitter) unanswered(ctx context.Context, err error) transmit.Verdict {
	v := t.base.Failed(ctx, h1.Receiving, err)
	if v.Action == transmit.Kept {
		v.Err = t.base.Error(transmit.NATSNoAnswer, 0, err, fmt.Sprintf("no acknowledgement within %v", t.timeout))
	}
	return v
}

// lost is the verdict of a request whose connection ended.
func (t *Transmitter) lost(err error, sent bool) transmit.Verdict {
	what := "the connection was closed before the answer"
	if !isClosed(err) {
		what = "the connection ended before the answer: " + text(err)
	}
	return transmit.Verdict{Sent: sent, Err: t.base.Error(transmit.NATSConnectionLost, 0, err, what)}
}

// notConnected is the verdict of a request for which there was no connection.
func (t *Transmitter) notConnected(ctx context.Context, err error) transmit.Verdict {
	e := &connectError{err: err}
	errors.As(err, &e)
	v := t.base.Failed(ctx, e.stage, e.err)
	v.Sent = false
	if v.Action == transmit.Aborted || e.stage == h1.Connecting {
		return v
	}
	say := func(cause transmit.Cause, sentence string) transmit.Verdict {
		v.Err = t.base.Error(cause, 0, err, sentence)
		return v
	}
	var timeout interface{ Timeout() bool }
	var record tls.RecordHeaderError
	var known *transmit.Error
	errors.As(v.Err, &known)
	switch {
	case isDenied(err) && t.anonymous:
		return say(transmit.NATSNoCredentials, "the server wants credentials, and none were sent")
	case isDenied(err):
		return say(transmit.NATSRefused, "the server refused the credentials: "+text(err))
	case errors.Is(err, errReplies):
		return say(transmit.NATSRepliesDenied, "nothing was sent: "+errReplies.Error())
	case errors.Is(err, nats.ErrSecureConnWanted) || errors.As(err, &record):
		return say(transmit.NATSPlain, "the server offers no TLS")
	case ctx.Err() == nil && (errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()):
		return say(transmit.NATSSilent, fmt.Sprintf("connected, and not let in within %v", t.connectTimeout))
	case e.stage == h1.Securing && isClosed(err): // a client without the right certificate is told no more
		return say(transmit.NoCommonTLS, "the server closed the connection in the TLS handshake")
	case isClosed(err):
		return say(transmit.NATSSilent, "the connection was closed before this host was let in")
	case errors.Is(err, nats.ErrNoInfoReceived):
		return say(transmit.NATSStranger, "what listens there does not speak NATS")
	case e.stage == h1.Receiving && t.isStranger(err) && known.Cause == transmit.Unknown:
		return say(transmit.NATSStranger, "what listens there does not speak NATS over WebSocket")
	case e.stage == h1.Receiving:
		return say(known.Cause, "connected, and not let in: "+text(err))
	}
	return v
}

// isStranger reports whether WebSocket did not begin. All that a server says itself begins with the
// library's name.
func (t *Transmitter) isStranger(err error) bool {
	return strings.HasPrefix(t.target.Scheme, "ws") && !strings.HasPrefix(err.Error(), "nats: ")
}

// isClosed reports whether the other side ended the connection.
func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func isDenied(err error) bool {
	for _, denied := range [...]error{nats.ErrAuthorization, nats.ErrAuthExpired, nats.ErrAuthRevoked, nats.ErrAccountAuthExpired, nats.ErrNkeysNotSupported} {
		if errors.Is(err, denied) {
			return true
		}
	}
	return false
}

// text is the text of an error without the library's name.
func text(err error) string { return strings.TrimPrefix(transmit.Root(err), "nats: ") }
