package transmit

import (
	"cmp"
	"encoding/base64"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// target is the listener's URL, taken apart once.
type target struct {
	secure    bool
	host      string // to dial and to verify: ASCII, without brackets, with its IPv6 zone
	port      string
	authority string   // the Host header: no zone (RFC 6874), the port only where the URL has one
	path      template // path and query as they go on the wire
	user      *url.Userinfo
	query     template
	display   string
}

func (t target) address() string { return net.JoinHostPort(t.host, t.port) }

func (t target) scheme() string {
	if t.secure {
		return "https"
	}
	return "http"
}

// parseTarget never puts the URL into an error. A URL that cannot be parsed cannot be redacted.
func parseTarget(raw string) (target, error) {
	raw, err := encodeNames(raw)
	if err != nil {
		return target{}, err
	}
	u, err := parseURL(raw)
	if err != nil {
		return target{}, err
	}
	t := target{secure: u.Scheme == "https", user: u.User}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return target{}, errors.New("must begin with http:// or https://")
	case u.Opaque != "" || u.Host == "":
		return target{}, errors.New("the host is missing; write http://HOST:PORT/PATH")
	case u.Fragment != "":
		return target{}, errors.New("a fragment (#...) is never sent; write %23 if the # belongs to the path or query")
	case strings.IndexFunc(u.RawQuery, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0:
		return target{}, errors.New("the query holds a space or a character that must be percent-encoded")
	}
	defaultPort := "80"
	if t.secure {
		defaultPort = "443"
	}
	if t.host, t.port, err = endpoint(u, defaultPort); err != nil {
		return target{}, err
	}
	t.authority, _, _ = strings.Cut(t.host, "%")
	if strings.Contains(t.authority, ":") {
		t.authority = "[" + t.authority + "]"
	}
	if u.Port() != "" {
		t.authority += ":" + t.port
	}
	path, query := cmp.Or(u.EscapedPath(), "/"), ""
	if u.RawQuery != "" || u.ForceQuery {
		query = "?" + u.RawQuery
	}
	t.path, _ = parseTemplate(decodeNames(path + query)) // the names are known from encodeNames
	t.query, _ = parseTemplate(decodeNames(u.RawQuery))
	u.Host, u.Path = t.authority, cmp.Or(u.Path, "/")
	t.display = decodeNames(shownURL(*u))
	return t, nil
}

// encodeNames hides the braces of {key}, {host} and {name} in a URL's path and query from package
// url, which would otherwise take the path for one that was never encoded, and encode it anew.
func encodeNames(raw string) (string, error) {
	_, rest, _ := strings.Cut(raw, "://")
	at := strings.IndexAny(rest, "/?#")
	if at < 0 {
		return raw, nil
	}
	names, err := parseTemplate(rest[at:])
	if err != nil {
		return "", err
	}
	encoded := raw[:len(raw)-len(rest)+at]
	for _, p := range names {
		encoded += p.text
		if p.name != "" {
			encoded += "%7B" + p.name + "%7D"
		}
	}
	return encoded, nil
}

func decodeNames(encoded string) string {
	if !strings.Contains(encoded, "%7B") { // a replacer takes longer to build than all the rest
		return encoded
	}
	return strings.NewReplacer("%7Bkey%7D", "{key}", "%7Bhost%7D", "{host}", "%7Bname%7D", "{name}").Replace(encoded)
}

// invalidURL is shown of a URL that cannot be parsed. Nobody knows where such a URL hides its
// password.
const invalidURL = "(invalid URL)"

// shownURL returns what may be shown of a URL: no user info, no fragment, and "..." for a query.
func shownURL(u url.URL) string {
	query := ""
	if u.RawQuery != "" || u.ForceQuery {
		query = "?..."
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	return u.String() + query
}

var errNotURL = errors.New("cannot be parsed; write http://HOST:PORT/PATH")

// parseURL is url.Parse with errors that quote nothing of the URL.
func parseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err == nil {
		return u, nil
	}
	var escape url.EscapeError
	var host url.InvalidHostError
	switch {
	case errors.As(err, &escape):
		return nil, errors.New("a % is not followed by two hexadecimal digits")
	case errors.As(err, &host):
		return nil, errors.New("the host name holds a character that cannot be in one")
	}
	return nil, errNotURL
}

// endpoint returns the host and port of u to connect to.
func endpoint(u *url.URL, defaultPort string) (host, port string, err error) {
	host, port = u.Hostname(), cmp.Or(u.Port(), defaultPort)
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", "", errors.New("the port is not a number from 1 to 65535")
	}
	if strings.Contains(host, ":") {
		ip, err := netip.ParseAddr(host)
		if err != nil || !isName(ip.Zone()) {
			return "", "", errors.New("the host is not an IPv6 address")
		}
		return host, port, nil
	}
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii
	} // otherwise the next check decides: idna refuses names that resolvers take, such as a_b
	if host == "" || !isName(host) {
		return "", "", errors.New("the host name holds a character that cannot be in one")
	}
	return host, port, nil
}

// isName reports whether s has only characters of host names, IPv4 addresses and interface names.
func isName(s string) bool {
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

// basic returns the credentials of RFC 7617.
func basic(user *url.Userinfo) string {
	password, _ := user.Password()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password))
}
