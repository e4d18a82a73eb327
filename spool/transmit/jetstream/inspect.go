package jetstream

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// Inspection is what servers say of themselves and of the streams that take the subject.
type Inspection struct {
	Servers []Server // all of the URL, in its order
	Streams []Stream // that take the subject, or a part of what it can become
	Err     error    // why Streams is not known
}

// Server is one server of the URL.
type Server struct {
	Address    string
	Err        error // like that of a Verdict: why it cannot be used; the rest is not known then
	Version    string
	MaxPayload int64     // of a message with its headers, in bytes
	TLS        string    // "" is none
	NotAfter   time.Time // end of its certificate; zero without TLS
	Exposed    bool      // it is sent a password or a token without TLS, over a network
}

// Stream is what a stream says of itself.
type Stream struct {
	Config struct {
		Name          string        `json:"name"`
		Subjects      []string      `json:"subjects"`
		Retention     string        `json:"retention"` // limits, interest, workqueue
		Storage       string        `json:"storage"`   // file, memory
		Replicas      int           `json:"num_replicas"`
		Window        time.Duration `json:"duplicate_window"`
		Discard       string        `json:"discard"` // old, new
		PerSubject    bool          `json:"discard_new_per_subject"`
		MaxPerSubject int64         `json:"max_msgs_per_subject"`
		MaxMsgs       int64         `json:"max_msgs"`
		MaxBytes      int64         `json:"max_bytes"`
		MaxAge        time.Duration `json:"max_age"`
		MaxMsgSize    int64         `json:"max_msg_size"`
		NoAck         bool          `json:"no_ack"`
		Transform     *struct{}     `json:"subject_transform"` // it stores subjects under other names
		Sealed        bool          `json:"sealed"`
		PersistMode   string        `json:"persist_mode"`
	} `json:"config"`
	State struct {
		Consumers int `json:"consumer_count"`
	} `json:"state"`
	Cluster *struct { // nil: the server is alone
		Leader   string `json:"leader"`
		Replicas []struct {
			Name    string `json:"name"`
			Offline bool   `json:"offline"`
			Current bool   `json:"current"`
		} `json:"replicas"`
	} `json:"cluster"`
}

// KnowsKeys reports whether s refuses an item that it has, for as long as it keeps it.
func (t *Transmitter) KnowsKeys(s Stream) bool {
	return t.HasOwnSubjects(s) && s.Config.Discard == "new" && s.Config.PerSubject && s.Config.MaxPerSubject == 1
}

// HasOwnSubjects reports whether s stores each item under a subject of its own.
func (t *Transmitter) HasOwnSubjects(s Stream) bool {
	return t.target.subject.Uses("key") && s.Config.Transform == nil
}

// Takes reports whether s takes all that a subject with wildcards stands for.
func (s Stream) Takes(subject string) bool {
	return slices.ContainsFunc(s.Config.Subjects, func(pattern string) bool {
		tokens := strings.Split(subject, ".")
		for i, want := range strings.Split(pattern, ".") {
			switch {
			case i == len(tokens):
				return false
			case want == ">":
				return true
			case want != "*" && want != tokens[i]:
				return false
			}
		}
		return len(tokens) == strings.Count(pattern, ".")+1
	})
}

// Subject returns the subject, with a wildcard for each name in it.
func (t *Transmitter) Subject() string {
	all := transmit.Request{Key: "*", Host: "*", Name: "*"}
	whole := t.target.subject.With(all, func(string) string { return "*" })
	tokens := strings.Split(whole, ".")
	for i, token := range tokens {
		if strings.Contains(token, "*") { // a wildcard is a whole part
			tokens[i] = "*"
		}
	}
	return strings.Join(tokens, ".")
}

// Inspect connects to every server and asks for the streams. It publishes nothing.
func (t *Transmitter) Inspect(ctx context.Context) Inspection {
	i := Inspection{Err: errors.New("no server can be asked")}
	for n, s := range t.target.servers {
		limited, cancel := context.WithTimeout(ctx, t.timeout)
		l, err := t.open(limited, n)
		server := Server{Address: s.address()}
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

func (t *Transmitter) describe(nc *nats.Conn, s *Server) {
	s.Version, s.MaxPayload = nc.ConnectedServerVersion(), nc.MaxPayload()
	if state, err := nc.TLSConnectionState(); err == nil {
		s.TLS, s.NotAfter = tls.VersionName(state.Version), state.PeerCertificates[0].NotAfter
	}
	host, _, _ := net.SplitHostPort(nc.ConnectedAddr())
	ip := net.ParseIP(host)
	s.Exposed = s.TLS == "" && t.options.Token+t.options.Password != "" && (ip == nil || !ip.IsLoopback())
}

// streams asks for the streams that take the subject.
func (t *Transmitter) streams(ctx context.Context, l *link) ([]Stream, error) {
	var found struct {
		Streams []string `json:"streams"`
	}
	if err := t.ask(ctx, l, "STREAM.NAMES", map[string]string{"subject": t.Subject()}, &found); err != nil {
		return nil, err
	}
	var all []Stream
	for _, name := range found.Streams {
		var s Stream
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
