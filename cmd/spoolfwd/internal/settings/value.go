package settings

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// value is the field that a setting writes to, and the words that a user writes into it.
type value interface {
	set(texts []string) error // as written; only a list uses more than the last
	texts() []string          // as a user could write it
	kind() kind
}

// kind is what a value looks like.
type kind struct {
	name    string   // in the words of the manual
	arg     string   // in the words of help, unless the setting has a better one
	file    string   // what the configuration file takes, in words
	types   []string // the TOML types that it takes
	choices []string // nil: it is not one of a few words
}

func (k kind) isSwitch() bool { return k.name == "boolean" }
func (k kind) isList() bool   { return k.name == "list" }

// single is a value of one field.
type single[T any] struct {
	dst    *T
	k      kind
	parse  func(string) (T, error)
	format func(T) string
}

func (v single[T]) kind() kind      { return v.k }
func (v single[T]) texts() []string { return []string{v.format(*v.dst)} }

func (v single[T]) set(texts []string) error {
	got, err := v.parse(texts[len(texts)-1])
	if err == nil {
		*v.dst = got
	}
	return err
}

// text is any string that rule lets pass; a nil rule lets all pass.
func text(dst *string, rule func(string) error) value {
	parse := func(s string) (string, error) {
		if rule == nil {
			return s, nil
		}
		return s, rule(s)
	}
	k := kind{"string", "TEXT", "a string in quotes", []string{"a string"}, nil}
	return single[string]{dst, k, parse, func(s string) string { return s }}
}

func duration(dst *time.Duration, rule func(time.Duration) error) value {
	k := kind{"duration", "D", `a duration ("60s") or a number of seconds`, []string{"a string", "an integer", "a float"}, nil}
	return single[time.Duration]{dst, k, ruled(ParseDuration, rule), formatDuration}
}

func size(dst *int64, rule func(int64) error) value {
	k := kind{"size", "BYTES", `a size ("16MiB") or a number of bytes`, []string{"a string", "an integer"}, nil}
	return single[int64]{dst, k, ruled(parseSize, rule), formatSize}
}

func integer(dst *int, rule func(int) error) value {
	k := kind{"integer", "N", "an integer without quotes", []string{"an integer"}, nil}
	parse := func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil {
			return 0, fmt.Errorf("%q is not an integer", text)
		}
		return n, nil
	}
	return single[int]{dst, k, ruled(parse, rule), strconv.Itoa}
}

func decimal(dst *float64, rule func(float64) error) value {
	k := kind{"number", "N", "a number without quotes", []string{"an integer", "a float"}, nil}
	parse := func(text string) (float64, error) {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !isDecimal(text) {
			return 0, fmt.Errorf("%q is not a number", text)
		}
		return n, nil
	}
	return single[float64]{dst, k, ruled(parse, rule), func(n float64) string { return strconv.FormatFloat(n, 'g', -1, 64) }}
}

func toggle(dst *bool) value {
	k := kind{"boolean", "", "true or false without quotes", []string{"a boolean"}, nil}
	parse := func(text string) (bool, error) {
		on, err := strconv.ParseBool(text)
		if err != nil {
			return false, fmt.Errorf("%q is neither true nor false", text)
		}
		return on, nil
	}
	return single[bool]{dst, k, parse, strconv.FormatBool}
}

// choice is one of a few words, each of which stands for a value of the field.
func choice[T comparable](dst *T, words []string, means ...T) value {
	parse := func(text string) (T, error) {
		for i, word := range words {
			if word == text {
				return means[i], nil
			}
		}
		return *dst, fmt.Errorf("%q is not one of %s", text, strings.Join(words, ", "))
	}
	format := func(is T) string {
		for i := range means {
			if means[i] == is {
				return words[i]
			}
		}
		return ""
	}
	k := kind{"string", strings.Join(words, "|"), "a string in quotes", []string{"a string"}, words}
	return single[T]{dst, k, parse, format}
}

// list is any number of strings, each of which rule lets pass.
type list struct {
	dst  *[]string
	rule func(string) error
}

func (v list) texts() []string { return *v.dst }

func (v list) kind() kind {
	return kind{"list", "TEXT", "an array of strings", []string{"a string"}, nil}
}

func (v list) set(texts []string) error {
	var problems []error
	for _, text := range texts {
		problems = append(problems, v.rule(text))
	}
	*v.dst = texts
	return errors.Join(problems...)
}

// ruled returns a parse that also asks rule, and that names the text which rule refuses.
func ruled[T any](parse func(string) (T, error), rule func(T) error) func(string) (T, error) {
	return func(text string) (T, error) {
		got, err := parse(text)
		if err != nil {
			return got, err
		}
		if err := rule(got); err != nil {
			return got, fmt.Errorf("%w, not %q", err, text)
		}
		return got, nil
	}
}

type number interface {
	~int | ~int64 | ~float64
}

func positive[T number](n T) error {
	if n <= 0 {
		return errors.New("must be more than 0")
	}
	return nil
}

func notNegative[T number](n T) error {
	if n < 0 {
		return errors.New("must not be negative")
	}
	return nil
}

func between[T number](low, high T) func(T) error {
	return func(n T) error {
		if n < low || n > high {
			return fmt.Errorf("must be between %v and %v", low, high)
		}
		return nil
	}
}

func notEmpty(text string) error {
	if text == "" {
		return errors.New("must not be empty")
	}
	return nil
}
