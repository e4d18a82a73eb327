package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
)

// script is a list of steps, served in order. Its text form is
//
//	script = step *( "," step )
//	step   = answer [ "x" N ] [ ":" option *( ";" option ) ]
//	answer = STATUS | "hang" | "reset" | "close" | "partial"
//
// with the options that parseOption knows. Inside an option a backslash stands before a comma, a
// semicolon or a backslash that is meant as such.
type script []step

// maxRepeat bounds xN, so that a slip of the finger is noticed.
const maxRepeat = 1_000_000_000

// String gives the script as parseScript reads it.
func (s script) String() string {
	texts := make([]string, len(s))
	for i, st := range s {
		texts[i] = st.String()
	}
	return strings.Join(texts, ",")
}

// parseScript reads a script. Its errors name the step and what is wrong with it.
func parseScript(text string) (script, error) {
	var s script
	for i, part := range splitUnescaped(text, ',') {
		st, err := parseStep(part)
		if err != nil {
			return nil, fmt.Errorf("step %d of the script, %q: %w", i+1, part, err)
		}
		s = append(s, st)
	}
	return s, nil
}

func parseStep(text string) (step, error) {
	head, options, hasOptions := strings.Cut(text, ":")
	s, err := parseHead(strings.TrimSpace(head))
	if err != nil || !hasOptions {
		return s, err
	}
	seen := map[string]bool{}
	for _, raw := range splitUnescaped(options, ';') {
		option, err := unescape(raw)
		if err != nil {
			return s, err
		}
		name, err := s.parseOption(option)
		if err != nil {
			return s, err
		}
		if seen[name] && name != "header" {
			return s, fmt.Errorf("%s is given twice", name)
		}
		seen[name] = true
	}
	return s, nil
}

// parseHead reads what stands before the colon: a status or a word, and xN.
func parseHead(head string) (step, error) {
	s := step{repeat: 1}
	word, times, repeated := strings.Cut(head, "x")
	if word == "" {
		return s, errors.New("a status or one of hang, reset, close, partial is missing")
	}
	if repeated {
		n, err := strconv.Atoi(times)
		if err != nil || n < 1 || n > maxRepeat {
			return s, fmt.Errorf("the repeat count %q is not a number from 1 to %d", "x"+times, maxRepeat)
		}
		s.repeat = n
	}
	for k, name := range faultNames {
		if word == name {
			s.kind = kind(k)
			return s, nil
		}
	}
	status, err := strconv.Atoi(word)
	if err != nil || len(word) != 3 || status < 100 || status > 599 {
		return s, fmt.Errorf("%q is neither a status from 100 to 599 nor one of hang, reset, close, partial", word)
	}
	s.status = status
	return s, nil
}

// parseOption sets one option and returns its name. Two have a short form: a URL or an absolute
// path is a location, a bare duration after hang is how long.
func (s *step) parseOption(option string) (string, error) {
	name, value, named := strings.Cut(option, "=")
	switch {
	case strings.HasPrefix(option, "/"), strings.HasPrefix(option, "http://"), strings.HasPrefix(option, "https://"):
		name, value = "location", option
	case !named && s.kind == kindHang:
		name, value = "hold", option
	case !named:
		return "", fmt.Errorf("the option %q is neither NAME=VALUE nor a path or URL to redirect to", option)
	}

	var err error
	switch name {
	case "delay":
		s.delay, err = positiveDuration(value)
		return name, err
	case "hold":
		if s.kind != kindHang {
			return "", errors.New("hold is for hang only")
		}
		s.hold, err = positiveDuration(value)
		return name, err
	}
	if s.kind != kindAnswer {
		return "", fmt.Errorf("%s does not take the option %q", s.label(), name)
	}
	switch name {
	case "retry-after":
		s.retryAfter, err = value, checkRetryAfter(value)
	case "location":
		s.location, err = value, checkHeaderValue(name, value)
	case "header":
		var h header
		h, err = parseHeader(value)
		s.headers = append(s.headers, h)
	case "body":
		s.body = &value
	case "date":
		s.date, err = parseDuration(value)
	default:
		err = fmt.Errorf("unknown option %q; known are retry-after, location, header, body, date, delay, hold", name)
	}
	return name, err
}

func checkRetryAfter(value string) error {
	if shift, isDate := strings.CutPrefix(value, "@"); isDate {
		_, err := parseDuration(shift)
		return err
	}
	return checkHeaderValue("retry-after", value)
}

func parseHeader(text string) (header, error) {
	name, value, ok := strings.Cut(text, "=")
	if !ok || !httpguts.ValidHeaderFieldName(name) {
		return header{}, fmt.Errorf("header=%s is not header=NAME=VALUE", text)
	}
	if strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "Transfer-Encoding") {
		return header{}, fmt.Errorf("the header %s is the listener's own", name)
	}
	return header{name, value}, checkHeaderValue(name, value)
}

func checkHeaderValue(name, value string) error {
	if value == "" || !httpguts.ValidHeaderFieldValue(value) {
		return fmt.Errorf("%s is empty or holds control characters: %q", name, value)
	}
	return nil
}

// parseDuration reads a duration as Go writes it, or a bare number as seconds.
func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		d, err = time.ParseDuration(text + "s")
	}
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration such as 250ms, 3 or 1m30s", text)
	}
	return d, nil
}

func positiveDuration(text string) (time.Duration, error) {
	d, err := parseDuration(text)
	if err == nil && d <= 0 {
		err = fmt.Errorf("the duration %s is not above zero", text)
	}
	return d, err
}

// splitUnescaped splits text at every sep that no backslash stands before, and leaves the
// backslashes in.
func splitUnescaped(text string, sep byte) []string {
	var parts []string
	start := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case sep:
			parts = append(parts, text[start:i])
			start = i + 1
		}
	}
	return append(parts, text[start:])
}

// special are the bytes that need a backslash inside an option.
const special = `\,;`

func escape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if strings.IndexByte(special, text[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

func unescape(text string) (string, error) {
	if strings.IndexByte(text, '\\') < 0 {
		return text, nil
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' {
			i++
			if i == len(text) || strings.IndexByte(special, text[i]) < 0 {
				return "", fmt.Errorf(`in %q a backslash stands before neither a comma, a semicolon nor a backslash`, text)
			}
		}
		b.WriteByte(text[i])
	}
	return b.String(), nil
}
