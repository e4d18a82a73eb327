package transmit

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/bitville-apm/spoolfwd/spool/transmit/h1"
)

type header struct {
	name  string
	value template
}

// reserved headers belong to the exchange. A user's would contradict its framing, its handling of
// connections or the caller's key. Proxy-Authorization would reach the listener, which must not see
// it.
var reserved = map[string]string{
	"content-length":      "it is computed",
	"transfer-encoding":   "the length is always sent",
	"connection":          "connections are managed here",
	"keep-alive":          "connections are managed here",
	"proxy-connection":    "connections are managed here",
	"upgrade":             "no other protocol is spoken",
	"te":                  "no trailers are read",
	"trailer":             "no trailers are sent",
	"expect":              "no interim answer is waited for",
	"idempotency-key":     "every item has its own",
	"proxy-authorization": "the listener would see it; put the credentials into the proxy's URL",
}

// parseHeaders reads "Name: value" and "@FILE". Its errors show neither a value nor a line without
// a name.
func parseHeaders(list []string) ([]header, error) {
	var headers []header
	var problems []error
	add := func(where, line string) {
		h, err := parseHeader(line)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", where, err))
			return
		}
		headers = append(headers, h)
	}
	for i, entry := range list {
		file, isFile := strings.CutPrefix(entry, "@")
		if !isFile {
			add(fmt.Sprintf("header %d", i+1), entry)
			continue
		}
		text, err := ReadSmall(file, maxSecretFile)
		if err != nil {
			problems = append(problems, fmt.Errorf("header file: %w", err))
			continue
		}
		for n, line := range strings.Split(string(text), "\n") {
			if line = strings.TrimSpace(line); line != "" {
				add(fmt.Sprintf("header file %s, line %d", file, n+1), line)
			}
		}
	}
	return headers, errors.Join(problems...)
}

func parseHeader(line string) (header, error) {
	name, text, err := cutHeader(line)
	if err != nil {
		return header{}, err
	}
	if why, ok := reserved[strings.ToLower(name)]; ok {
		return header{}, fmt.Errorf("%s cannot be set: %s", name, why)
	}
	if strings.EqualFold(name, "Host") && (text == "" || !httpguts.ValidHostHeader(text)) {
		return header{}, errors.New("the value of Host is not a host name")
	}
	value, err := parseTemplate(text)
	switch {
	case err != nil:
		return header{}, fmt.Errorf("the value of %s: %w", name, err)
	case len(value) > 1 && strings.EqualFold(name, "Content-Type"):
		return header{}, errors.New("Content-Type is the same for all items, and takes no name in braces")
	}
	return header{name, value}, nil
}

// parseExpected reads the header that answers must have. "" is none.
func parseExpected(line string) (h1.Field, error) {
	if line == "" {
		return h1.Field{}, nil
	}
	name, value, err := cutHeader(line)
	if err == nil && value == "" {
		err = fmt.Errorf("the value of %s is missing", name)
	}
	if err != nil {
		return h1.Field{}, fmt.Errorf("expected header: %w", err)
	}
	return h1.Field{Name: strings.ToLower(name), Value: value}, nil
}

func cutHeader(line string) (name, value string, err error) {
	name, value, found := strings.Cut(line, ":")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !found || !httpguts.ValidHeaderFieldName(name) {
		return "", "", errors.New(`it is not of the form "Name: value"`)
	}
	if !httpguts.ValidHeaderFieldValue(value) {
		return "", "", fmt.Errorf("the value of %s holds a control character", name)
	}
	return name, value, nil
}

// readToken returns the bearer token in file, or "" if no file is named.
func readToken(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := ReadSmall(file, maxSecretFile)
	if err != nil {
		return "", fmt.Errorf("token file: %w", err)
	}
	token, err := checkToken(string(text))
	if err != nil {
		return "", fmt.Errorf("token file %s %w", file, err)
	}
	return token, nil
}

// checkToken returns the token in a text. The error says what the text is.
func checkToken(text string) (string, error) {
	token := strings.TrimSpace(text)
	if token == "" {
		return "", errors.New("is empty")
	}
	if scheme, _, found := strings.Cut(token, " "); found && strings.EqualFold(scheme, "Bearer") {
		return "", errors.New("begins with the word Bearer: leave it out, because it is added")
	}
	if strings.IndexFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return "", errors.New("holds more than one token: a space, a line break or a character outside ASCII is in it")
	}
	return token, nil
}
