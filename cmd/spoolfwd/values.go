package main

import "time"

// values holds every setting of every command, parsed. Defaults and meaning
// stand in the table in settings.go; a zero limit is no limit.
type values struct {
	// The spool.
	Spool       string
	Pattern     string
	MaxFileSize size
	ArrayFiles  string
	Raw         bool

	// The breaker.
	Name             string
	StateDir         string
	FailureThreshold int
	RetryTimeout     time.Duration
	RetryJitter      float64
	MaxRetryAfter    time.Duration

	// The listener.
	URL            string
	Timeout        time.Duration
	ConnectTimeout time.Duration
	ContentType    string
	Compress       string
	Headers        []string
	TokenFile      string
	CAFile         string
	CertFile       string
	KeyFile        string
	OnStatus       []string

	// A run.
	Concurrency      int
	BatchItems       int
	BatchBytes       size
	BatchFormat      string
	MaxAttempts      int
	MaxRuntime       time.Duration
	MaxItems         int
	MaxBytes         size
	RejectedMaxAge   time.Duration
	RejectedMaxBytes size
	MetricsFile      string
	DryRun           bool

	// flush.
	Force bool
	Wait  time.Duration

	// put.
	MaxSpoolBytes size
	MaxSpoolFiles int

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

	// Output.
	JSON      bool
	Verbose   bool
	LogFormat string
	Config    string
	Help      bool
}
