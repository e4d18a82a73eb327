package settings

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// value is the field that a setting writes to, and the words that a user writes into it.
type value struct {
	kind
	set   func(texts []string) error // as written; only a list uses more than the last
	texts func() []string            // as a user could write it
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

// field is a value of one field, written by what parse makes of a text and rule lets pass. A nil
// rule lets all pass.
func field[T any](k kind, dst *T, parse func(string) (T, error), format func(T) string, rule func(T) error) value {
	set := func(texts []string) error {
		text := texts[len(texts)-1]
		got, err := parse(text)
		if err != nil {
			return err
		}
		if rule != nil {
			err = rule(got)
		}
		if err == nil {
			*dst = got
		} else if k.name != "string" { // a string may be a secret
			err = fmt.Errorf("%w, not %q", err, text)
		}
		return err
	}
	return value{k, set, func() []string { return []string{format(*dst)} }}
}

func text(dst *string, rule func(string) error) value {
	k := kind{name: "string", file: "a string in quotes", types: []string{"a string"}}
	return field(k, dst, func(s string) (string, error) { return s, nil }, func(s string) string { return s }, rule)
}

// choice is one of a few words, each of which stands for a value of the field.
func choice[T comparable](dst *T, words []string, means ...T) value {
	k := kind{"string", strings.Join(words, "|"), "a string in quotes", []string{"a string"}, words}
	parse := func(text string) (T, error) {
		if i := slices.Index(words, text); i >= 0 {
			return means[i], nil
		}
		return *dst, fmt.Errorf("%q is not one of %s", text, strings.Join(words, ", "))
	}
	return field(k, dst, parse, func(is T) string { return words[slices.Index(means, is)] }, nil)
}

func toggle(dst *bool) value {
	k := kind{"boolean", "", "true or false without quotes", []string{"a boolean"}, nil}
	return field(k, dst, named(strconv.ParseBool, "neither true nor false"), strconv.FormatBool, nil)
}

// inverted is a toggle of a field that says the opposite.
func inverted(dst *bool) value {
	parse := func(text string) (bool, error) {
		on, err := strconv.ParseBool(text)
		return !on, err
	}
	format := func(off bool) string { return strconv.FormatBool(!off) }
	return field(toggle(dst).kind, dst, named(parse, "neither true nor false"), format, nil)
}

func integer(dst *int, rule func(int) error) value {
	k := kind{"integer", "N", "an integer without quotes", []string{"an integer"}, nil}
	return field(k, dst, named(strconv.Atoi, "not an integer"), strconv.Itoa, rule)
}

// integerOrAuto is an integer that rule lets pass, or the word auto, for which the field is 0.
func integerOrAuto(dst *int, rule func(int) error) value {
	k := kind{"integer", "N|auto", `an integer without quotes, or "auto"`, []string{"an integer", "a string"}, []string{"auto"}}
	parse := func(text string) (int, error) {
		if text == "auto" {
			return 0, nil
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return 0, fmt.Errorf("%q is neither an integer nor auto", text)
		}
		if err := rule(n); err != nil {
			return 0, fmt.Errorf("%w, not %q", err, text)
		}
		return n, nil
	}
	format := func(n int) string {
		if n == 0 {
			return "auto"
		}
		return strconv.Itoa(n)
	}
	return field(k, dst, parse, format, nil)
}

func decimal(dst *float64, rule func(float64) error) value {
	k := kind{"number", "N", "a number without quotes", []string{"an integer", "a float"}, nil}
	format := func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
	return field(k, dst, named(parseDecimal, "not a number"), format, rule)
}

func duration(dst *time.Duration, rule func(time.Duration) error) value {
	k := kind{"duration", "D", `a duration ("60s") or a number of seconds`, []string{"a string", "an integer", "a float"}, nil}
	return field(k, dst, parseDuration, formatDuration, rule)
}

func size(dst *int64, rule func(int64) error) value {
	k := kind{"size", "BYTES", `a size ("16MiB") or a number of bytes`, []string{"a string", "an integer"}, nil}
	return field(k, dst, parseSize, formatSize, rule)
}

// list is any number of strings, each of which rule lets pass.
func list(dst *[]string, rule func(string) error) value {
	set := func(texts []string) error {
		var problems []error
		for _, text := range texts {
			problems = append(problems, rule(text))
		}
		*dst = texts
		return errors.Join(problems...)
	}
	k := kind{name: "list", file: "an array of strings", types: []string{"a string"}}
	return value{k, set, func() []string { return *dst }}
}

// named returns a parse whose errors say what is wrong with a text.
func named[T any](parse func(string) (T, error), wrong string) func(string) (T, error) {
	return func(text string) (T, error) {
		got, err := parse(text)
		if err != nil {
			err = fmt.Errorf("%q is %s", text, wrong)
		}
		return got, err
	}
}

type number interface {
	~int | ~int64
}

// positive is for numbers whose zero a package takes for its default.
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

func notEmpty(text string) error {
	if text == "" {
		return errors.New("must not be empty")
	}
	return nil
}
