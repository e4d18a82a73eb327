package settings

import (
	"fmt"
	"strings"
)

// Settings is every setting with its value and where the value came from.
type Settings struct {
	Values
	Table  []*Setting // in the order of help
	groups []Group
	given  map[string][]string // flags as written, by name
}

// New returns the settings with their defaults.
func New() *Settings {
	s := &Settings{Values: defaults(), given: make(map[string][]string)}
	s.groups = table(&s.Values)
	for _, g := range s.groups {
		for i := range g.Settings {
			s.Table = append(s.Table, &g.Settings[i])
		}
	}
	return s
}

// Of returns the settings that a command takes, in groups. Groups without any are left out.
func (s *Settings) Of(command Commands) []Group {
	var groups []Group
	for _, g := range s.groups {
		taken := Group{Name: g.Name}
		for _, t := range g.Settings {
			if t.commands&command != 0 {
				taken.Settings = append(taken.Settings, t)
			}
		}
		if taken.Settings != nil {
			groups = append(groups, taken)
		}
	}
	return groups
}

// ReadFlags takes the flags out of a command's arguments and returns the operands. Flags may stand
// behind operands; behind "--" everything is an operand. Values are judged by Resolve, but for
// switches, which an invocation may ask for before that.
//
// A value that looks like one of the command's flags is refused: "--url --json" is a forgotten
// value, and would otherwise swallow the flag.
func (s *Settings) ReadFlags(command Commands, args []string) (operands []string, err error) {
	for i := 0; i < len(args); i++ {
		name, text, hasText := cutFlag(args[i])
		if args[i] == "--" {
			return append(operands, args[i+1:]...), nil
		}
		if name == "" {
			operands = append(operands, args[i])
			continue
		}
		t := s.flag(command, name)
		switch {
		case t == nil:
			return nil, s.unknownFlag(command, name)
		case hasText:
		case t.isSwitch():
			text = "true"
		case i+1 == len(args):
			return nil, fmt.Errorf("%s needs a value", dashed(name))
		default:
			i++
			text = args[i]
			if next, _, _ := cutFlag(text); s.flag(command, next) != nil {
				return nil, fmt.Errorf("%s needs a value, and %s is a flag", dashed(name), text)
			}
		}
		s.given[t.Name] = append(s.given[t.Name], text)
		if t.isSwitch() {
			if err := t.set([]string{text}); err != nil {
				return nil, fmt.Errorf("%s: %w", dashed(name), err)
			}
		}
		if s.Help || s.Version { // which are answered whatever comes behind
			return operands, nil
		}
	}
	return operands, nil
}

// cutFlag splits "--name=text", with one dash or two. The name of an operand is "".
func cutFlag(arg string) (name, text string, hasText bool) {
	name = strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-")
	if name == arg {
		return "", "", false
	}
	return strings.Cut(name, "=")
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// flag returns the setting that a flag of a command sets; name is its long or its short one.
func (s *Settings) flag(command Commands, name string) *Setting {
	for _, t := range s.Table {
		if t.commands&command != 0 && name != "" && (t.Name == name || t.Short == name) {
			return t
		}
	}
	return nil
}

// find returns the setting of that name.
func (s *Settings) find(name string) *Setting { return s.flag(^Commands(0), name) }

// unknownFlag explains a flag that the command does not take.
func (s *Settings) unknownFlag(command Commands, name string) error {
	if s.find(name) != nil {
		if command == Program {
			return fmt.Errorf("%s goes behind the command, as in 'spoolfwd run %[1]s'", dashed(name))
		}
		return fmt.Errorf("this command does not take %s", dashed(name))
	}
	return unknown("flag", name, s.names(func(t *Setting) bool { return t.commands&command != 0 }), dashed)
}

// names returns the names of the settings that a condition lets pass.
func (s *Settings) names(pass func(*Setting) bool) []string {
	var names []string
	for _, t := range s.Table {
		if pass(t) {
			names = append(names, t.Name)
		}
	}
	return names
}

// unknown says that nothing has this name, and which name was probably meant.
func unknown(what, name string, known []string, write func(string) string) error {
	if near := Nearest(name, known); near != "" {
		return fmt.Errorf("unknown %s %s, did you mean %s?", what, write(name), write(near))
	}
	return fmt.Errorf("unknown %s %s", what, write(name))
}
