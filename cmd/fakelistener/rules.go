package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// rule gives one step to every request whose body holds the parts, in order.
type rule struct {
	text  string // as given
	parts [][]byte
	step  step
}

// parseRule reads PATTERN=STEP, split at the first "=". PATTERN is found anywhere in the body, and
// "*" in it stands for any bytes.
func parseRule(text string) (rule, error) {
	pattern, stepText, ok := strings.Cut(text, "=")
	if !ok {
		return rule{}, fmt.Errorf("%q is not PATTERN=STEP", text)
	}
	if strings.Trim(pattern, "*") == "" {
		return rule{}, fmt.Errorf("%q has an empty pattern", text)
	}
	r := rule{text: text}
	for part := range strings.SplitSeq(pattern, "*") {
		r.parts = append(r.parts, []byte(part))
	}
	steps, err := parseScript(stepText)
	if err != nil {
		return rule{}, err
	}
	if len(steps) > 1 || steps[0].repeat > 1 {
		return rule{}, errors.New("a rule takes one step without xN: " + text)
	}
	r.step = steps[0]
	return r, nil
}

func (r rule) matches(body []byte) bool {
	for _, part := range r.parts {
		i := bytes.Index(body, part)
		if i < 0 {
			return false
		}
		body = body[i+len(part):]
	}
	return true
}

// rules is a flag that can be given more than once. It does not split its value, since a pattern
// may hold commas.
type rules []rule

// Set adds a rule.
func (r *rules) Set(text string) error {
	parsed, err := parseRule(text)
	if err == nil {
		*r = append(*r, parsed)
	}
	return err
}

// String gives the rules as they were given.
func (r *rules) String() string {
	texts := make([]string, len(*r))
	for i, rule := range *r {
		texts[i] = rule.text
	}
	return strings.Join(texts, " ")
}
