package jetstream

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// target is the URL, taken apart once.
type target struct {
	scheme  string
	servers []server
	user    *url.Userinfo
	subject transmit.Text
	display string
}

type server struct {
	host string
	port uint16
}

func (s server) address() string { return net.JoinHostPort(s.host, strconv.Itoa(int(s.port))) }

// ports is the schemes, with the port that each stands for.
func ports() map[string]string {
	return map[string]string{"nats": "4222", "tls": "4222", "ws": "80", "wss": "443"}
}

// Speaks reports whether a URL is one for this package.
func Speaks(raw string) bool {
	scheme, _, found := strings.Cut(raw, "://")
	_, ours := ports()[strings.ToLower(scheme)]
	return found && ours
}

// HasUser reports whether a URL for this package holds a user or a token.
func HasUser(raw string) bool {
	t, err := parseTarget(raw)
	return err == nil && t.user != nil
}

// CheckURL judges Config.URL. Its error repeats nothing of the URL.
func CheckURL(raw string) error {
	_, err := parseTarget(raw)
	return err
}

// Redact returns a URL for display, without its user and password.
func Redact(raw string) string {
	t, err := parseTarget(raw)
	if err != nil {
		return "(invalid URL)"
	}
	return t.display
}

func parseTarget(raw string) (target, error) {
	scheme, rest, _ := strings.Cut(raw, "://")
	scheme = strings.ToLower(scheme)
	port, ours := ports()[scheme]
	if !ours {
		return target{}, errors.New("must begin with nats://, tls://, ws:// or wss://")
	}
	list, subject, _ := strings.Cut(rest, "/")
	t := target{scheme: scheme}
	user, hosts, hasUser := strings.Cut(list, "@")
	if !hasUser {
		user, hosts = "", list
	} else if strings.Contains(hosts, "@") {
		return target{}, errors.New("user and password stand once, before the first server")
	} else {
		user += "@"
	}
	for i, host := range strings.Split(hosts, ",") {
		if host == "" {
			return target{}, errors.New("a server is missing; write nats://HOST:PORT,HOST:PORT/SUBJECT")
		}
		h, p, info, err := transmit.ParseServer(scheme+"://"+user+host, port)
		if err != nil {
			return target{}, err
		}
		if i == 0 {
			t.user = info
		}
		t.servers = append(t.servers, server{h, p})
	}
	if err := checkSubject(subject); err != nil {
		return target{}, err
	}
	var err error
	if t.subject, err = transmit.ParseText(subject); err != nil {
		return target{}, err
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

// token encodes a name so that it is one part of a subject, whatever it holds.
func token(name string) string {
	return strings.ReplaceAll(transmit.PercentEncode(name), ".", "%2E")
}
