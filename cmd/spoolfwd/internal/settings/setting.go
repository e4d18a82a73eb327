package settings

import "strings"

// Commands is a set of commands. The bits say which commands take a setting.
type Commands uint32

const (
	Program Commands = 1 << iota // the program without a command
	Groups                       // commands that only hold others
	Run
	Flush
	Status
	Put
	List
	Show
	Retry
	Remove
	BreakerShow
	BreakerReset
	BreakerTrip
	Check
	Plain // commands that read no configuration

	drains    = Run | Flush
	Delivery  = drains | Check
	rejecteds = List | Show | Retry | Remove
	Spool     = Delivery | Status | Put | rejecteds
	Breaker   = Delivery | Status | BreakerShow | BreakerReset | BreakerTrip
	Lock      = Breaker | Retry | Remove
	Work      = Spool | Breaker // all that do something with a spool or a breaker
)

// places says where a setting may be given. Its zero value is everywhere: as a flag, in the
// environment and in the configuration file. A setting that selects or forces something for one
// invocation is only a flag, so that no variable that was left over somewhere can force a probe or
// remove payloads.
type places int

const (
	anywhere places = iota
	notInFile
	flagOnly
)

// Setting declares one setting: the flag --name, the environment variable SPOOLFWD_NAME and the key
// name of the configuration file.
type Setting struct {
	Name  string
	Short string // one-letter flag, without the dash
	Usage string // one sentence for help

	commands Commands
	arg      string // what help calls the value, where its kind has no good word
	places   places
	mask     func(string) string // hides what is secret in a value; nil: nothing is
	value
	source Source
}

// Group is the settings that help shows under one heading.
type Group struct {
	Name     string
	Settings []Setting
}

// Variable returns the name of the setting's environment variable, or "".
func (s *Setting) Variable() string {
	if s.places == flagOnly {
		return ""
	}
	return "SPOOLFWD_" + strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))
}

// InFile reports whether the configuration file may hold the setting.
func (s *Setting) InFile() bool { return s.places == anywhere }

// FlagOnly reports whether the setting can only be given as a flag.
func (s *Setting) FlagOnly() bool { return s.places == flagOnly }

// Arg returns what help calls the value; "" for a switch, which takes none.
func (s *Setting) Arg() string {
	if s.arg != "" {
		return s.arg
	}
	return s.kind.arg
}

// Kind names the kind of value, as the manual does.
func (s *Setting) Kind() string { return s.kind.name }

// Choices returns the words that the value is one of; nil when it can be anything.
func (s *Setting) Choices() []string { return s.choices }

// Default returns the value as a user would write it, until Resolve has changed it. It is "" where
// there is none worth showing: an empty text, a limit of 0, a switch that is off.
func (s *Setting) Default() string {
	switch text := strings.Join(s.texts(), ", "); text {
	case "0", "0s", "false":
		return ""
	default:
		return text
	}
}

// Heading returns the flag as help shows it: "-v, --verbose", "--spool DIR".
func (s *Setting) Heading() string {
	heading := "--" + s.Name
	if s.Short != "" {
		heading = "-" + s.Short + ", " + heading
	}
	if arg := s.Arg(); arg != "" {
		heading += " " + arg
	}
	return heading
}
