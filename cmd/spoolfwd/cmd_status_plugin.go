package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// The exit codes of a monitoring plugin are not those of package exit: Nagios and its heirs
// prescribe them (Monitoring Plugins Development Guidelines, "Plugin Return Codes").
const (
	pluginOK       = 0
	pluginWarning  = 1
	pluginCritical = 2
	pluginUnknown  = 3
)

// pluginResult ends the process with a plugin's code. Everything has been said on standard output.
type pluginResult struct{ code int }

func (p *pluginResult) Error() string { return "" }

// plugin prints the status as one line with performance data. Where something cannot be read, only
// what is known to be critical is worth more than that: a breaker whose state is private may be
// open. Numbers that nobody knows are not printed.
func (s *session) plugin(r *statusReport, unread error) error {
	level := pluginOK
	var problems []string
	raise := func(to int, format string, args ...any) {
		level = max(level, to)
		problems = append(problems, fmt.Sprintf(format, args...))
	}
	age := seconds(r.Spool.OldestAge)
	switch {
	case s.cfg.CriticalAge > 0 && age > s.cfg.CriticalAge:
		raise(pluginCritical, "oldest payload file is %s old", console.Duration(age))
	case s.cfg.WarningAge > 0 && age > s.cfg.WarningAge:
		raise(pluginWarning, "oldest payload file is %s old", console.Duration(age))
	}
	if age := seconds(r.Spool.UnfinishedAge); s.cfg.WarningAge > 0 && age > s.cfg.WarningAge {
		raise(pluginWarning, "%s is still being written after %s", r.Spool.unfinished, console.Duration(age))
	}
	switch files := r.Spool.Files; {
	case s.cfg.CriticalFiles > 0 && files > s.cfg.CriticalFiles, s.cfg.WarningFiles > 0 && files > s.cfg.WarningFiles:
		to := pluginWarning
		if s.cfg.CriticalFiles > 0 && files > s.cfg.CriticalFiles {
			to = pluginCritical
		}
		raise(to, "%s wait", console.Count(files, "payload file"))
	}
	if r.Breaker != nil && r.Breaker.State != breaker.Closed {
		raise(pluginWarning, "breaker %s is %s", r.Breaker.Name, strings.ReplaceAll(r.Breaker.EffectiveState.String(), "_", "-"))
	}
	if now := s.env.Now(); r.Lock != nil && !r.Lock.Since.IsZero() && now.Sub(r.Lock.Since) >= longHeld {
		raise(pluginWarning, "%s has held the lock for %s", r.Lock, console.Duration(now.Sub(r.Lock.Since)))
	}
	if r.LastRun != nil && slices.Contains([]exit.Code{exit.Config, exit.Permission, exit.Usage, exit.IO}, r.LastRun.ExitCode) {
		raise(pluginWarning, "the last run ended with %d: %s", r.LastRun.ExitCode, exit.Words(r.LastRun.ExitCode))
	}
	if r.Rejected.Files > 0 {
		raise(pluginWarning, "%s rejected", console.Count(r.Rejected.Files, "payload"))
	}
	if r.Spool.Stuck > 0 {
		raise(pluginWarning, "%s delivered and not removable", console.Count(r.Spool.Stuck, "payload file"))
	}
	if unread != nil {
		for _, e := range exit.Each(unread) {
			problems = append(problems, e.Error())
		}
		if level != pluginCritical {
			level = pluginUnknown
		}
		return s.pluginLine(level, strings.Join(problems, ", "), "")
	}
	if level == pluginOK {
		problems = []string{fmt.Sprintf("breaker closed, %s", console.Count(r.Spool.Files, "payload file"))}
	}
	return s.pluginLine(level, strings.Join(problems, ", "), " | "+s.performanceData(r))
}

// pluginLine prints the line and ends the process with its code. A bar would begin the performance
// data.
func (s *session) pluginLine(level int, problems, data string) error {
	s.out.Line("SPOOLFWD %s - %s%s", pluginWord(level), strings.ReplaceAll(problems, "|", "/"), data)
	return &pluginResult{level}
}

// performanceData follows the guidelines: label=value[unit];warn;crit;min.
func (s *session) performanceData(r *statusReport) string {
	limit := func(n int64) string {
		if n <= 0 {
			return ""
		}
		return fmt.Sprint(n)
	}
	open := 0
	if r.Breaker.State != breaker.Closed {
		open = 1
	}
	return strings.Join([]string{
		fmt.Sprintf("files=%d;%s;%s;0", r.Spool.Files, limit(int64(s.cfg.WarningFiles)), limit(int64(s.cfg.CriticalFiles))),
		fmt.Sprintf("bytes=%dB;;;0", r.Spool.Bytes),
		fmt.Sprintf("oldest=%.0fs;%s;%s;0", r.Spool.OldestAge, limit(int64(s.cfg.WarningAge.Seconds())), limit(int64(s.cfg.CriticalAge.Seconds()))),
		fmt.Sprintf("deferred=%d;;;0", r.Spool.Deferred),
		fmt.Sprintf("rejected=%d;;;0", r.Rejected.Files),
		fmt.Sprintf("breaker_open=%d;;;0;1", open),
		fmt.Sprintf("failures=%d;;;0", r.Breaker.FailureCount),
	}, " ")
}

// pluginUnknown says that the status could not be taken.
func (s *session) pluginUnknown(err error) error {
	return s.pluginLine(pluginUnknown, err.Error(), "")
}

func pluginWord(level int) string {
	return [...]string{"OK", "WARNING", "CRITICAL", "UNKNOWN"}[level]
}
