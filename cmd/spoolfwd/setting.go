package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// uses is the set of commands that take a setting.
type uses uint32

const (
	useRun uses = 1 << iota
	useFlush
	useStatus
	usePut
	useList
	useShow
	useRetry
	useRemove
	useBreakerShow
	useBreakerReset
	useBreakerTrip
	useCheck

	useDrain    = useRun | useFlush
	useDelivery = useDrain | useCheck
	useRejected = useList | useShow | useRetry | useRemove
	useSpool    = useDelivery | useStatus | usePut | useRejected
	useBreaker  = useDelivery | useStatus | useBreakerShow | useBreakerReset | useBreakerTrip
	useLock     = useBreaker | useRetry | useRemove
	useAll      = useSpool | useBreaker
)

// layers says where besides its flag a setting may be set. What selects or
// forces something for one invocation is a flag only, so that no environment
// variable left over somewhere can force a probe or remove payloads.
type layers int

const (
	layersAll layers = iota
	layersEnv        // flag and environment
	layersFlag
)

// secrecy says what check must not show of a setting's value.
type secrecy int

const (
	public       secrecy = iota
	secretInURL          // user info and query
	secretHeader         // all after the header's name
)

// setting declares one setting: the flag --name, the environment variable
// SPOOLFWD_NAME and the key name of the configuration file.
type setting struct {
	name    string
	short   string // one-letter flag, without the dash
	dst     any    // pointer to its field of values; its type is the setting's kind
	def     string // default, in the form a user would write
	arg     string // what help calls the value; none for switches
	usage   string // one sentence for help
	on      uses
	from    layers
	secrecy secrecy
	valid   func(text string) error // nil: every value of the kind will do
}

// env returns the name of the setting's environment variable, or "".
func (s setting) env() string {
	if s.from == layersFlag {
		return ""
	}
	return "SPOOLFWD_" + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
}

// inFile reports whether the configuration file may hold the setting.
func (s setting) inFile() bool { return s.from == layersAll }

func (s setting) isSwitch() bool { _, ok := s.dst.(*bool); return ok }
func (s setting) isList() bool   { _, ok := s.dst.(*[]string); return ok }

// parse sets the field from the values given, each as written. Only lists use
// more than the last.
func (s setting) parse(texts []string) error {
	if s.isList() {
		var errs []error
		for _, text := range texts {
			errs = append(errs, s.check(text))
		}
		*s.dst.(*[]string) = texts
		return errors.Join(errs...)
	}
	text := texts[len(texts)-1]
	var err error
	switch dst := s.dst.(type) {
	case *string:
		*dst = text
	case *time.Duration:
		*dst, err = parseDuration(text)
	case *size:
		*dst, err = parseSize(text)
	case *int:
		*dst, err = strconv.Atoi(text)
		if err != nil {
			err = fmt.Errorf("%q is no whole number", text)
		}
	case *float64:
		if !isDecimal(text) {
			return fmt.Errorf("%q is no number", text)
		}
		*dst, err = strconv.ParseFloat(text, 64)
	case *bool:
		*dst, err = strconv.ParseBool(text)
		if err != nil {
			err = fmt.Errorf("%q is neither true nor false", text)
		}
	}
	if err != nil {
		return err
	}
	return s.check(text)
}

func (s setting) check(text string) error {
	if s.valid == nil {
		return nil
	}
	return s.valid(text)
}

// set returns the current value of the field as texts a user could write.
func (s setting) set() []string {
	switch dst := s.dst.(type) {
	case *string:
		return []string{*dst}
	case *[]string:
		return *dst
	case *time.Duration:
		return []string{dst.String()}
	case *size:
		return []string{dst.String()}
	case *int:
		return []string{strconv.Itoa(*dst)}
	case *float64:
		return []string{strconv.FormatFloat(*dst, 'g', -1, 64)}
	case *bool:
		return []string{strconv.FormatBool(*dst)}
	}
	return nil
}
