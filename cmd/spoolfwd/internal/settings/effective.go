package settings

import (
	"slices"
	"strings"
)

// Effective is a setting as check shows it.
type Effective struct {
	Name   string `json:"name"`
	Value  any    `json:"value"` // a string, or a list of them; secrets are masked
	Source string `json:"source"`

	IsDefault bool `json:"-"` // the value is the default, whoever has set it
}

// Effective lists the settings of all commands, which share one configuration. Settings of a single
// invocation are left out, and so are lists that nobody has set.
func (s *Settings) Effective() []Effective {
	var all []Effective
	standard := New()
	for _, t := range s.Table {
		texts := t.texts()
		if t.FlagOnly() || texts == nil && t.source.Where == "" {
			continue
		}
		shown := make([]string, 0, len(texts))
		for _, text := range texts {
			if t.mask != nil {
				text = t.mask(text)
			}
			shown = append(shown, text)
		}
		e := Effective{t.Name, shown, t.source.String(), slices.Equal(texts, standard.find(t.Name).texts())}
		if !t.isList() {
			e.Value = shown[0]
		}
		all = append(all, e)
	}
	return all
}

// UnknownVariables returns the variables of an environment that are meant for settings and set
// none, each with the variable that was probably meant, or "".
func (s *Settings) UnknownVariables(environ []string) map[string]string {
	known := s.names(func(t *Setting) bool { return !t.FlagOnly() })
	unknown := make(map[string]string)
	for name := range variablesOf(environ) {
		rest, ours := strings.CutPrefix(name, "SPOOLFWD_")
		word := strings.ToLower(strings.ReplaceAll(rest, "_", "-"))
		if t := s.find(word); !ours || t != nil && t.Variable() == name {
			continue
		}
		unknown[name] = ""
		if near := s.find(Nearest(word, known)); near != nil {
			unknown[name] = near.Variable()
		}
	}
	return unknown
}
