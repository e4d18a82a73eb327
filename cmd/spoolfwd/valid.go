package main

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/bitville-apm/spoolfwd/breaker"
)

func notEmpty(text string) error {
	if text == "" {
		return errors.New("must not be empty")
	}
	return nil
}

func oneOf(words ...string) func(string) error {
	return func(text string) error {
		for _, w := range words {
			if text == w {
				return nil
			}
		}
		return fmt.Errorf("%q is none of %s", text, strings.Join(words, ", "))
	}
}

// The sign is judged on the text: numbers, durations and sizes alike write it
// first, and a number rounded to zero has lost it.
func notNegative(text string) error {
	if strings.HasPrefix(strings.TrimSpace(text), "-") && strings.ContainsAny(text, "123456789") {
		return fmt.Errorf("%q is negative", text)
	}
	return nil
}

func positive(text string) error {
	if !strings.ContainsAny(text, "123456789") {
		return errors.New("must be more than 0")
	}
	return notNegative(text)
}

func between(low, high int) func(string) error {
	return func(text string) error {
		if n, err := strconv.Atoi(text); err != nil || n < low || n > high {
			return fmt.Errorf("%s is not between %d and %d", text, low, high)
		}
		return nil
	}
}

func percent(text string) error {
	if f, err := strconv.ParseFloat(text, 64); err != nil || f < 0 || f > 100 {
		return fmt.Errorf("%s is not between 0 and 100 percent", text)
	}
	return nil
}

func aPattern(text string) error {
	if _, err := filepath.Match(text, "x"); err != nil || text == "" {
		return fmt.Errorf("%q is no glob pattern", text)
	}
	if strings.Contains(text, "/") {
		return fmt.Errorf("%q holds a slash; it is matched against file names", text)
	}
	return nil
}

// aName is the breaker's own rule.
func aName(text string) error {
	if text == "" {
		return notEmpty(text)
	}
	_, err := breaker.New(breaker.Config{Name: text})
	return err
}

// aURL never repeats what it was given: a URL may hold a password, and one that
// does not parse cannot be cleaned of it.
func aURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return fmt.Errorf("is no URL: %w", withoutURL(err))
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("must begin with http:// or https://")
	case u.Hostname() == "":
		return errors.New("names no host")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return fmt.Errorf("has port %s, which is not between 1 and 65535", port)
		}
	}
	return nil
}

func withoutURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		err = e.Err
	}
	// Some of these quote the part that is wrong, up to a whole password.
	switch text := err.Error(); {
	case strings.Contains(text, "port"):
		return errors.New("bad port or unescaped character after the host")
	case strings.Contains(text, "escape"):
		return errors.New("bad percent escape")
	case strings.Contains(text, "userinfo"):
		return errors.New("bad user info")
	case strings.Contains(text, "control character"):
		return errors.New("control character in it")
	}
	return errors.New("it cannot be parsed")
}

// aHeader does not repeat the value either: it may be a secret.
func aHeader(text string) error {
	if file, ok := strings.CutPrefix(text, "@"); ok {
		return notEmpty(file)
	}
	name, value, ok := strings.Cut(text, ":")
	if !ok {
		return errors.New("needs a colon, as in 'X-Team: payments', or @FILE")
	}
	if !httpguts.ValidHeaderFieldName(name) {
		return errors.New("has a name that is no HTTP header name")
	}
	return headerValue(strings.TrimSpace(value))
}

func headerValue(text string) error {
	if !httpguts.ValidHeaderFieldValue(text) {
		return errors.New("has a value with control characters")
	}
	return nil
}

// statusPattern is the status code of a final answer or a range of a hundred.
const statusPattern = `[2-5](?:[0-9]{2}|xx)`

func anOnStatus(text string) error {
	if !regexp.MustCompile(`^` + statusPattern + `=(?:delivered|reject|keep)$`).MatchString(text) {
		return fmt.Errorf("%q is not CODE=ACTION, as in 404=reject or 4xx=keep; actions are delivered, reject, keep", text)
	}
	return nil
}

func aStatus(text string) error {
	if !regexp.MustCompile(`^` + statusPattern + `$`).MatchString(text) {
		return fmt.Errorf("%q is neither a status (400) nor a range (4xx)", text)
	}
	return nil
}
