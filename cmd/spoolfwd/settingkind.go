package main

import "time"

// tomlKinds returns the kinds of TOML value a setting takes.
func (s setting) tomlKinds() []string {
	switch s.dst.(type) {
	case *time.Duration:
		return []string{"a string", "an integer", "a float"}
	case *size:
		return []string{"a string", "an integer"}
	case *int:
		return []string{"an integer"}
	case *float64:
		return []string{"an integer", "a float"}
	case *bool:
		return []string{"a boolean"}
	}
	return []string{"a string"}
}

// tomlWords says the same to a person.
func (s setting) tomlWords() string {
	switch s.dst.(type) {
	case *time.Duration:
		return `a duration ("60s") or a number of seconds`
	case *size:
		return `a size ("16MiB") or a number of bytes`
	case *int:
		return "a whole number without quotes"
	case *float64:
		return "a number without quotes"
	case *bool:
		return "true or false without quotes"
	case *[]string:
		return "an array of strings"
	}
	return "a string in quotes"
}
