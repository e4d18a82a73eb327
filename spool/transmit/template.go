package transmit

import (
	"errors"
	"strings"
)

// template is a text with places for the names of a request: {key}, {host} and {name}. A name is
// put in percent-encoded, but for letters, digits and -._~ (RFC 3986 section 2.3). That suits a
// URL's path, its query and a header's value alike, and can be read back by whoever needs the bytes
// of a file's name. What stands in braces and is not a word is text: headers carry JSON.
type template []part

// part is a text and the name behind it; "" is none.
type part struct{ text, name string }

var errUnknownName = errors.New("a word in braces is not {key}, {host} or {name}")

// cutName splits text around the first word in braces.
func cutName(text string) (before, name, after string, found bool) {
	for from := 0; ; {
		open := strings.IndexByte(text[from:], '{')
		if open < 0 {
			return text, "", "", false
		}
		open += from
		end := open + 1
		for end < len(text) && (isAlphanumeric(text[end]) || text[end] == '-' || text[end] == '_') {
			end++
		}
		if end > open+1 && end < len(text) && text[end] == '}' {
			return text[:open], text[open+1 : end], text[end+1:], true
		}
		from = open + 1
	}
}

// parseTemplate reads a text with names. Its error repeats nothing of the text.
func parseTemplate(text string) (template, error) {
	var t template
	for {
		before, name, after, found := cutName(text)
		t = append(t, part{before, name})
		switch {
		case !found:
			return t, nil
		case name != "key" && name != "host" && name != "name":
			return nil, errUnknownName
		}
		text = after
	}
}

// literal is a template without names.
func literal(text string) template { return template{{text, ""}} }

// concat makes one template of several, with as few parts as will do.
func concat(all ...template) template {
	joined := template{{}}
	for _, t := range all {
		for _, p := range t {
			if last := &joined[len(joined)-1]; last.name == "" {
				last.text, last.name = last.text+p.text, p.name
			} else {
				joined = append(joined, p)
			}
		}
	}
	return joined
}

func (t template) String() string {
	var b strings.Builder
	for _, p := range t {
		b.WriteString(p.text)
		if p.name != "" {
			b.WriteString("{" + p.name + "}")
		}
	}
	return b.String()
}

// uses reports whether a name stands in t.
func (t template) uses(name string) bool {
	for _, p := range t {
		if p.name == name {
			return true
		}
	}
	return false
}

// append appends the text with the names of r in it.
func (t template) append(b []byte, r Request) []byte {
	for _, p := range t {
		b = append(b, p.text...)
		if p.name != "" {
			b = appendEncoded(b, r.named(p.name))
		}
	}
	return b
}

// named returns what a name in a template stands for.
func (r Request) named(name string) string {
	switch name {
	case "key":
		return r.Key
	case "host":
		return r.Host
	case "name":
		return r.Name
	}
	return ""
}

func appendEncoded(b []byte, text string) []byte {
	const digits = "0123456789ABCDEF"
	for _, c := range []byte(text) {
		if isAlphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~' {
			b = append(b, c)
		} else {
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return b
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
