package jetstream

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
	"github.com/bitville-apm/spoolfwd/spool/transmit/jetstream/stream"
)

// Inspect connects to every server and asks for the streams. It publishes nothing.
func (t *Transmitter) Inspect(ctx context.Context) stream.Inspection {
	i := stream.Inspection{Err: errors.New("no server can be asked")}
	for n, s := range t.target.Servers {
		limited, cancel := context.WithTimeout(ctx, t.timeout)
		l, err := t.open(limited, n)
		server := stream.Server{Address: s.String()}
		if err != nil {
			server.Err = t.notConnected(ctx, err).Err
		} else {
			t.describe(l.nc, &server)
			if i.Err != nil {
				i.Streams, i.Err = t.streams(limited, l)
			}
			l.close()
		}
		cancel()
		i.Servers = append(i.Servers, server)
	}
	return i
}

func (t *Transmitter) describe(nc *nats.Conn, s *stream.Server) {
	s.Version, s.MaxPayload = nc.ConnectedServerVersion(), nc.MaxPayload()
	if state, err := nc.TLSConnectionState(); err == nil {
		s.TLS, s.NotAfter = tls.VersionName(state.Version), state.PeerCertificates[0].NotAfter
	}
	host, _, _ := net.SplitHostPort(nc.ConnectedAddr())
	ip := net.ParseIP(host)
	s.Exposed = s.TLS == "" && t.options.Token+t.options.Password != "" && (ip == nil || !ip.IsLoopback())
}

// streams asks for the streams that take the subject.
func (t *Transmitter) streams(ctx context.Context, l *link) ([]stream.Info, error) {
	var found struct {
		Streams []string `json:"streams"`
	}
	if err := t.ask(ctx, l, "STREAM.NAMES", map[string]string{"subject": t.target.Pattern()}, &found); err != nil {
		return nil, err
	}
	var all []stream.Info
	for _, name := range found.Streams {
		var s stream.Info
		if err := t.ask(ctx, l, "STREAM.INFO."+name, nil, &s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// ask makes a request of JetStream's interface.
func (t *Transmitter) ask(ctx context.Context, l *link, what string, question, into any) error {
	data, err := json.Marshal(question)
	if err != nil {
		return err
	}
	m, _, err := l.request(ctx, &nats.Msg{Subject: "$JS.API." + what, Data: data})
	var wrong struct {
		Error *struct {
			Description string `json:"description"`
		} `json:"error"`
	}
	switch {
	case errors.Is(err, nats.ErrPermissionViolation):
		return &deniedError{"$JS.API." + what}
	case err != nil:
		return fmt.Errorf("$JS.API.%s: %s", what, text(err))
	case len(m.Data) == 0:
		return errors.New("nobody answers for JetStream: it is off, or not for this account")
	case json.Unmarshal(m.Data, &wrong) == nil && wrong.Error != nil:
		return errors.New(transmit.Printable(wrong.Error.Description))
	}
	return json.Unmarshal(m.Data, into)
}

// deniedError is a question that the user may not ask.
type deniedError struct{ subject string }

func (e *deniedError) Error() string { return "the user may not ask " + e.subject }
func (e *deniedError) Unwrap() error { return nats.ErrPermissionViolation }

// CertificateEnd returns when the client certificate ends; zero if there is none.
func (t *Transmitter) CertificateEnd() time.Time { return t.base.CertificateEnd() }
