package main

import (
	"strings"
	"testing"
)

func mustParse(t *testing.T, text string) script {
	t.Helper()
	s, err := parseScript(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func take(p *player, n int) string {
	labels := make([]string, n)
	for i := range labels {
		labels[i] = p.next().label()
	}
	return strings.Join(labels, " ")
}

func TestPlayerServesStepsInOrder(t *testing.T) {
	tests := []struct {
		name, script string
		loop         bool
		want         string
	}{
		{"the last step is repeated", "200x2,500,hang", false, "200 200 500 hang hang hang hang"},
		{"a last step with xN is repeated beyond N", "500,200x2", false, "500 200 200 200 200 200 200"},
		{"a loop begins again", "200x2,500", true, "200 200 500 200 200 500 200"},
		{"a loop of one step", "reset", true, "reset reset reset reset reset reset reset"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := take(newPlayer(mustParse(t, tt.script), tt.loop), 7); got != tt.want {
				t.Errorf("%s gave %s, want %s", tt.script, got, tt.want)
			}
		})
	}
}

func TestPlayerPrintsTheRemainingStepsAndCanBeGivenANewScript(t *testing.T) {
	p := newPlayer(mustParse(t, "200x3,500x2"), false)
	for _, want := range []string{"200x3,500x2", "200x2,500x2", "200,500x2", "500x2", "500", "500", "500"} {
		if got := p.rest().String(); got != want {
			t.Errorf("what is left is %s, want %s", got, want)
		}
		p.next()
	}
	p.replace(mustParse(t, "404,201"), nil)
	if got := take(p, 3); got != "404 201 201" {
		t.Errorf("the new script gave %s", got)
	}
	loop := true
	p.replace(mustParse(t, "404,201"), &loop)
	if got := take(p, 3); got != "404 201 404" {
		t.Errorf("the new script in a loop gave %s", got)
	}
}
