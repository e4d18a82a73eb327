package settings

import (
	"fmt"
	"strings"
)

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

// NotTakenError is a flag that this command does not take, and others do.
type NotTakenError struct {
	Flag  string
	Takes Commands
}

func (e *NotTakenError) Error() string { return "this command does not take " + e.Flag }

// unknownFlag explains a flag that the command does not take.
func (s *Settings) unknownFlag(command Commands, name string) error {
	if t := s.find(name); t != nil {
		if command == Program {
			return fmt.Errorf("%s goes behind the command, as in 'spoolfwd run %[1]s'", dashed(name))
		}
		return &NotTakenError{dashed(name), t.commands}
	}
	return unknown("flag", name, s.names(func(t *Setting) bool { return t.commands&command != 0 }), dashed)
}
