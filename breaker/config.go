package breaker

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Config says how a breaker behaves. The zero value of each field stands for its default.
type Config struct {
	// Name tells breakers that share a StateDir apart. It is a plain file name of at most 200
	// bytes, without control characters, without ".." and without a dot in front. Default
	// "central_listener".
	Name string

	// StateDir holds the state file. It is created, mode 0755, when there is something to save.
	// Default "/var/lib/bitville-apm/circuit-breaker-state".
	StateDir string

	// FailureThreshold is the number of consecutive failures that opens the breaker. Default 5.
	FailureThreshold int

	// RetryTimeout is how long an open breaker lets nothing pass, rounded up to whole microseconds.
	// Default 60s.
	RetryTimeout time.Duration

	// RetryJitter is the largest part of RetryTimeout, in percent from 0 to 100, that is added to
	// it. The part that is added follows from HostID and Name alone. So it is the same in every
	// run of a host and differs among the hosts of a fleet, which then do not probe in the same
	// second. Default 0, which adds nothing.
	RetryJitter float64

	// RetryTimeoutMax lets RetryTimeout grow: each failed probe doubles it up to this. With a
	// RetryJitter, a grown timeout is shortened by a part of up to a half, another one after each
	// probe. So the probes of a fleet spread over the whole time, however long it has become, and
	// even if an outage began for all in one second. Default 0, with which nothing grows.
	RetryTimeoutMax time.Duration

	// MaxRetryAfter is the longest Retry-After that is believed. Default 1h.
	MaxRetryAfter time.Duration

	// HostID seeds the jitter. See the function HostID.
	HostID string
}

// DefaultConfig returns the values that zero fields of a Config stand for.
func DefaultConfig() Config {
	return Config{
		Name:             "central_listener",
		StateDir:         "/var/lib/bitville-apm/circuit-breaker-state",
		FailureThreshold: 5,
		RetryTimeout:     60 * time.Second,
		MaxRetryAfter:    time.Hour,
	}
}

// withDefaults fills in the defaults, and reports every setting that makes no sense.
func (c Config) withDefaults() (Config, error) {
	d := DefaultConfig()
	c.Name = cmp.Or(c.Name, d.Name)
	c.StateDir = cmp.Or(c.StateDir, d.StateDir)
	c.FailureThreshold = cmp.Or(c.FailureThreshold, d.FailureThreshold)
	c.RetryTimeout = cmp.Or(c.RetryTimeout, d.RetryTimeout)
	c.MaxRetryAfter = cmp.Or(c.MaxRetryAfter, d.MaxRetryAfter)

	problems := []error{CheckName(c.Name)}
	if strings.ContainsRune(c.StateDir, 0) {
		problems = append(problems, fmt.Errorf("state directory %q contains a NUL byte", c.StateDir))
	}
	check := func(what string, value any, err error) {
		if err != nil {
			problems = append(problems, fmt.Errorf("%s %v: %w", what, value, err))
		}
	}
	check("failure threshold", c.FailureThreshold, CheckThreshold(c.FailureThreshold))
	check("retry timeout", c.RetryTimeout, CheckTimeout(c.RetryTimeout))
	check("longest retry timeout", c.RetryTimeoutMax, CheckTimeoutMax(c.RetryTimeoutMax, c.RetryTimeout))
	check("retry jitter", c.RetryJitter, CheckJitter(c.RetryJitter))
	check("longest retry-after", c.MaxRetryAfter, CheckTimeout(c.MaxRetryAfter))
	return c, errors.Join(problems...)
}

// CheckThreshold judges Config.FailureThreshold, with its default put in.
func CheckThreshold(n int) error { return checkPositive(int64(n)) }

// CheckTimeout judges Config.RetryTimeout and Config.MaxRetryAfter, with their defaults put in.
func CheckTimeout(d time.Duration) error { return checkPositive(int64(d)) }

func checkPositive(n int64) error {
	if n <= 0 {
		return errors.New("must be more than 0")
	}
	return nil
}

// CheckTimeoutMax judges Config.RetryTimeoutMax for a RetryTimeout.
func CheckTimeoutMax(longest, timeout time.Duration) error {
	if longest != 0 && longest < timeout {
		return errors.New("must be 0, or not less than the retry timeout")
	}
	return nil
}

// CheckJitter judges Config.RetryJitter.
func CheckJitter(percent float64) error {
	if !(percent >= 0 && percent <= 100) { // NaN fails this too
		return errors.New("must be between 0 and 100")
	}
	return nil
}

// CheckName judges Config.Name, with its default put in. It makes sure that the name stays one file
// in the state directory, that no file of one name is a leftover of another, and that messages can
// show it.
func CheckName(name string) error {
	reason := ""
	switch {
	case strings.TrimSpace(name) == "":
		reason = "is blank"
	case strings.HasPrefix(name, "."):
		reason = "begins with a dot"
	case strings.ContainsAny(name, `/\`):
		reason = "contains a slash"
	case strings.Contains(name, ".."):
		reason = `contains ".."`
	case !utf8.ValidString(name), strings.ContainsFunc(name, unicode.IsControl):
		reason = "contains control characters or is not UTF-8"
	case len(name) > 200: // a directory takes 255 bytes, and suffixes come on top
		reason = "is longer than 200 bytes"
	default:
		return nil
	}
	return fmt.Errorf("breaker name %q %s: it must be a plain file name", name, reason)
}

func (c Config) rules() rules {
	seed := c.seed()
	part := float64(seed) / math.MaxUint64
	jitter := micros(math.Round(float64(microsFrom(c.RetryTimeout)) * c.RetryJitter / 100 * part))
	return rules{
		threshold: c.FailureThreshold,
		timeout:   microsFrom(c.RetryTimeout) + jitter,
		longest:   microsFrom(c.RetryTimeoutMax),
		spread:    c.RetryJitter > 0,
		seed:      seed,
		holdCap:   microsFrom(c.MaxRetryAfter),
	}
}

// seed is this host's, of all that is to differ among the hosts of a fleet. The hash spreads
// machine ids evenly, although they may differ in a few bits only.
func (c Config) seed() uint64 {
	sum := sha256.Sum256([]byte(c.HostID + "\x00" + c.Name))
	return binary.BigEndian.Uint64(sum[:8])
}
