package transmit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// setHead builds the part of the head that is the same for every request, and collects its secrets.
func (t *Transmitter) setHead(cfg Config, token string, headers []header) error {
	host, agent, authorization := t.target.authority, literal(cfg.UserAgent), template(nil)
	t.anonymous = token == "" && cfg.TokenCommand == "" && cfg.CertFile == "" && t.target.user == nil && t.target.query.String() == ""
	t.secrets.add(token)
	for _, p := range t.target.query {
		t.secrets.addQuery(p.text)
	}
	if user := t.target.user; user != nil {
		credentials := basic(user)
		authorization = literal(credentials)
		password, _ := user.Password()
		t.secrets.add(password, credentials[len("Basic "):])
	}
	switch {
	case token != "" && len(t.command.words) > 0:
		return errors.New("there are both a token file and a token command; give one")
	case token != "":
		authorization = literal("Bearer " + token)
	case len(t.command.words) > 0:
		authorization = nil // every request brings its own
	}

	var problems []error
	var rest template
	for _, h := range headers {
		switch strings.ToLower(h.name) {
		case "host":
			host = h.value.String()
			continue
		case "user-agent":
			agent = h.value
			continue
		case "content-type":
			t.contentType = h.value.String()
			continue
		case "authorization":
			if token != "" || len(t.command.words) > 0 {
				problems = append(problems, errors.New("there are both a token and an Authorization header; give one"))
			}
			authorization, t.anonymous = h.value, false
			t.secrets.addTemplate(h.value)
			continue
		case "content-encoding":
			if t.compressor != nil {
				problems = append(problems, errors.New("there is both a compression and a Content-Encoding header; give one"))
			}
		case "accept":
		default:
			t.anonymous = false // an API key, for example
			t.secrets.addTemplate(h.value)
		}
		rest = concat(rest, literal(h.name+": "), h.value, literal("\r\n"))
	}
	if !httpguts.ValidHeaderFieldValue(agent.String()) {
		problems = append(problems, errors.New("the user agent holds a control character"))
	}
	if err := CheckContentType(t.contentType); err != nil {
		problems = append(problems, err)
	}

	line := literal(t.method + " ")
	if t.proxy.forwards(t.target) {
		line = literal(t.method + " http://" + t.target.authority) // absolute-form, RFC 9112 section 3.2.2
	}
	head := concat(line, t.target.path, literal(" HTTP/1.1\r\nHost: "+host+"\r\nUser-Agent: "), agent)
	if authorization != nil {
		head = concat(head, literal("\r\nAuthorization: "), authorization)
	}
	if t.proxy != nil {
		t.secrets.addProxy(t.proxy)
		if t.proxy.forwards(t.target) && t.proxy.authorization != "" {
			head = concat(head, literal("\r\nProxy-Authorization: "+t.proxy.authorization))
		}
	}
	head = concat(head, literal("\r\n"), rest)
	if t.compressor != nil {
		head = concat(head, literal("Content-Encoding: "+t.compressor.name+"\r\n"))
	}
	if cfg.DisableKeepAlives {
		head = concat(head, literal("Connection: close\r\n"))
	}
	t.head = head
	return errors.Join(problems...)
}

// appendHead appends the whole head of a request to b. The caller has checked r.
func (t *Transmitter) appendHead(b []byte, r Request, length int) []byte {
	b = t.head.append(b, r)
	if r.token != "" {
		b = append(append(append(b, "Authorization: Bearer "...), r.token...), "\r\n"...)
	}
	b = append(b, "Content-Type: "...)
	if r.ContentType != "" {
		b = append(b, r.ContentType...)
	} else {
		b = append(b, t.contentType...)
	}
	b = append(b, "\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(length), 10)
	if r.Key != "" {
		// A string of RFC 9651 section 3.3.3, as draft-ietf-httpapi-idempotency-key-header wants
		// it.
		b = append(b, "\r\nIdempotency-Key: \""...)
		for i := range len(r.Key) {
			if c := r.Key[i]; c == '"' || c == '\\' {
				b = append(b, '\\')
			}
			b = append(b, r.Key[i])
		}
		b = append(b, '"')
	}
	return append(b, "\r\n\r\n"...)
}

// check refuses a value that would break the head of the request, and one that is missing there.
func (r Request) check(head template) error {
	for _, p := range head {
		if p.name != "" && r.named(p.name) == "" {
			return fmt.Errorf("the URL or a header holds {%s}, and the request has none", p.name)
		}
	}
	for i := range len(r.Key) {
		if c := r.Key[i]; c < ' ' || c > '~' {
			return errors.New("the idempotency key holds a character that a header cannot carry")
		}
	}
	return CheckContentType(r.ContentType)
}
