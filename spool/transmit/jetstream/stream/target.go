// Package stream is what can be said of a stream of NATS without a client: its URL, and what its
// servers and the stream itself tell when they are asked. A program that knows such URLs and does
// not publish imports this package alone. Package jetstream, which publishes, brings a client along
// that costs every start of a program.
package stream

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// Target is a URL, taken apart.
type Target struct {
	Scheme  string
	Servers []Address
	User    *url.Userinfo // nil: none
	Subject transmit.Text
	display string
}

// Address is where a server listens.
type Address struct {
	Host string
	Port uint16
}

func (a Address) String() string { return net.JoinHostPort(a.Host, strconv.Itoa(int(a.Port))) }

// String returns the URL for display, without its user and password.
func (t Target) String() string { return t.display }

// ports is the schemes, with the port that each stands for.
func ports() map[string]string {
	return map[string]string{"nats": "4222", "tls": "4222", "ws": "80", "wss": "443"}
}

// Speaks reports whether a URL is one of NATS.
func Speaks(raw string) bool {
	scheme, _, found := strings.Cut(raw, "://")
	_, ours := ports()[strings.ToLower(scheme)]
	return found && ours
}

// HasUser reports whether a URL holds a user or a token.
func HasUser(raw string) bool {
	t, err := Parse(raw)
	return err == nil && t.User != nil
}

// Check judges a URL. Its error repeats nothing of the URL.
func Check(raw string) error {
	_, err := Parse(raw)
	return err
}

// Redact returns a URL for display, without its user and password.
func Redact(raw string) string {
	t, err := Parse(raw)
	if err != nil {
		return "(invalid URL)"
	}
	return t.display
}

// Parse takes a URL apart: nats://HOST:PORT,HOST:PORT/SUBJECT, or tls, ws or wss. USER:PASSWORD@ or
// TOKEN@ may stand before the first host. Its error repeats nothing of the URL.
func Parse(raw string) (Target, error) {
	scheme, rest, _ := strings.Cut(raw, "://")
	scheme = strings.ToLower(scheme)
	port, ours := ports()[scheme]
	if !ours {
		return Target{}, errors.New("must begin with nats://, tls://, ws:// or wss://")
	}
	list, subject, _ := strings.Cut(rest, "/")
	t := Target{Scheme: scheme}
	user, hosts, hasUser := strings.Cut(list, "@")
	if !hasUser {
		user, hosts = "", list
	} else if strings.Contains(hosts, "@") {
		return Target{}, errors.New("user and password stand once, before the first server")
	} else {
		user += "@"
	}
	for i, host := range strings.Split(hosts, ",") {
		if host == "" {
			return Target{}, errors.New("a server is missing; write nats://HOST:PORT,HOST:PORT/SUBJECT")
		}
		h, p, info, err := transmit.ParseServer(scheme+"://"+user+host, port)
		if err != nil {
			return Target{}, err
		}
		if i == 0 {
			t.User = info
		}
		t.Servers = append(t.Servers, Address{h, p})
	}
	if err := checkSubject(subject); err != nil {
		return Target{}, err
	}
	var err error
	if t.Subject, err = transmit.ParseText(subject); err != nil {
		return Target{}, err
	}
	t.display = scheme + "://" + hosts + "/" + subject
	return t, nil
}

// checkSubject wants a subject that can be published to, or a template of one. The server's own
// subjects begin with a dollar sign.
func checkSubject(subject string) error {
	tokens := strings.Split(subject, ".")
	switch {
	case subject == "":
		return errors.New("the subject is missing; write nats://HOST:PORT/SUBJECT")
	case strings.ContainsAny(subject, "/?#"):
		return errors.New("the subject holds a slash, ? or #; dots divide its parts, as in ORDERS.new")
	case subject[0] == '$':
		return errors.New("subjects that begin with $ belong to the server")
	case slices.Contains(tokens, ""):
		return errors.New("the subject begins or ends with a dot, or holds two in a row")
	case strings.ContainsAny(subject, "*>"):
		return errors.New("the subject holds a wildcard, and nothing can be published to one")
	case transmit.Printable(subject) != subject || strings.Contains(subject, " "):
		return errors.New("the subject holds a space or a character that cannot be seen")
	}
	return nil
}
