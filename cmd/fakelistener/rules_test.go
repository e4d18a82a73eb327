package main

import (
	"strings"
	"testing"
)

func TestRulesMatchBodies(t *testing.T) {
	tests := []struct {
		rule, body string
		want       bool
	}{
		{`"id":7=500`, `{"id":7}`, true},
		{`"id":7=500`, `{"id":8}`, false},
		{`a,b=500`, `x a,b x`, true},
		{`a*c=500`, `abbbc`, true},
		{`a*c=500`, `ca`, false},
		{`*a*=500`, `xax`, true},
		{`aa*a=500`, `aa`, false},
		{`a=429:retry-after=3`, `a`, true},
	}
	for _, tt := range tests {
		t.Run(tt.rule+" on "+tt.body, func(t *testing.T) {
			r, err := parseRule(tt.rule)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.matches([]byte(tt.body)); got != tt.want {
				t.Errorf("the rule matches: %v, want %v", got, tt.want)
			}
		})
	}
}

func TestBrokenRulesAreExplained(t *testing.T) {
	for rule, want := range map[string]string{
		"poison":       "is not PATTERN=STEP",
		"=500":         "has an empty pattern",
		"**=500":       "has an empty pattern",
		"a=5000":       "neither a status",
		"a=500x2":      "one step without xN",
		"a=500,200":    "one step without xN",
		"a=b=500":      "neither a status",
		"a=429:retry=": "unknown option",
	} {
		if _, err := parseRule(rule); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parseRule(%q) says %v, want %q in it", rule, err, want)
		}
	}
}
