package main

import (
	"fmt"
	"strings"
)

// flagsFirst returns a command's arguments with flags before operands, which is
// the only order the command line library reads: it takes everything behind the
// first operand for operands, so that "put x.json --spool /tmp/s" would spool a
// file named --spool. Operands come after a "--", so that none is read as a flag.
//
// A value that looks like one of the command's flags is refused: "--url --json"
// is a forgotten value, and would otherwise swallow the flag.
func flagsFirst(args []string, takes func(name string) (setting, bool)) ([]string, error) {
	var flags, operands []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			operands = append(operands, args[i+1:]...)
			break
		}
		if arg == "-" || !strings.HasPrefix(arg, "-") {
			operands = append(operands, arg)
			continue
		}
		flags = append(flags, arg)
		s, known := takes(flagName(arg))
		if !known || s.isSwitch() || strings.Contains(arg, "=") {
			continue
		}
		if i+1 == len(args) {
			return nil, fmt.Errorf("%s needs a value", arg)
		}
		i++
		if _, isFlag := takes(flagName(args[i])); isFlag {
			return nil, fmt.Errorf("%s needs a value, and %s is a flag", arg, args[i])
		}
		flags = append(flags, args[i])
	}
	return append(append(flags, "--"), operands...), nil
}

// flagName returns the name in "--name", "-name" or "--name=value", or "" for an
// operand.
func flagName(arg string) string {
	name := strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-")
	if name == arg {
		return ""
	}
	name, _, _ = strings.Cut(name, "=")
	return name
}
