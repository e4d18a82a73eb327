package settings

import (
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// Values holds the value of every setting. The table says what each means; a limit of zero is no
// limit.
type Values struct {
	Spool    spool.Config
	Listener transmit.Config
	Breaker  breaker.Config
	Drain    drain.Config
	HostID   string

	CredsFile string // of a user of NATS

	// A run.
	TLSResume        bool
	MaxRuntime       time.Duration
	RejectedMaxAge   time.Duration
	RejectedMaxBytes int64
	MetricsFile      string
	DryRun           bool
	Wait             time.Duration

	// flush.
	Force bool

	// rejected.
	Statuses  []string
	OlderThan time.Duration
	All       bool

	// breaker trip.
	For time.Duration

	// status --check.
	Check         bool
	WarningAge    time.Duration
	CriticalAge   time.Duration
	WarningFiles  int
	CriticalFiles int

	// check --listener.
	Offline      bool
	TestListener bool
	TestItem     string

	// Output.
	JSON      bool
	Verbose   bool
	LogFormat string
	Config    string
	Help      bool
	Version   bool
}

// defaults returns the packages' own defaults, and those that are of this program alone.
func defaults() Values {
	v := Values{
		Spool:       spool.DefaultConfig(),
		Listener:    transmit.DefaultConfig(),
		Breaker:     breaker.DefaultConfig(),
		Drain:       drain.DefaultConfig(),
		TLSResume:   true,
		Wait:        10 * time.Second,
		WarningAge:  10 * time.Minute,
		CriticalAge: time.Hour,
		LogFormat:   "text",
	}
	// The hosts of a fleet are not to probe in the same second. The breaker knows of no fleet.
	v.Breaker.RetryJitter = 10
	return v
}
