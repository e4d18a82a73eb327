package main

import (
	"context"
	"fmt"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/doctor"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// checkCommand examines everything that a run needs, and shows the settings behind it.
func checkCommand(ctx context.Context, s *session) error {
	testItem, err := s.testItem()
	if err != nil {
		return err
	}
	findings := doctor.Examine(ctx, doctor.Config{
		User:         s.examineUser,
		Spool:        s.examineSpool,
		Breaker:      s.examineBreaker,
		Lock:         s.examineLock,
		Transmitter:  func() (doctor.Transmitter, error) { return s.transmitter, s.errTransmitter },
		StateDir:     s.cfg.Breaker.StateDir,
		MaxFileSize:  s.cfg.Spool.MaxFileSize,
		IndexPath:    drain.IndexPath(s.cfg.Breaker.StateDir, s.cfg.Breaker.Name),
		Listener:     s.cfg.Listener,
		ConfigFile:   s.cfg.Config,
		Offline:      s.cfg.Offline,
		Secrets:      s.cfg.SecretFiles(),
		StartedBy:    s.startedBy,
		Unknown:      s.cfg.UnknownVariables(s.env.Environ),
		TestListener: s.cfg.TestListener,
		TestItem:     testItem,
		Drain:        s.cfg.Drain,
		Raw:          s.cfg.Spool.Raw,
		Hint:         hintOf,
		Now:          s.env.Now,
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	code := exit.OK
	for _, f := range findings {
		code = exit.Worst(code, f.Code)
	}
	if s.cfg.JSON {
		s.out.JSON(map[string]any{"settings": s.cfg.Effective(), "findings": findings, "exit_code": code})
	} else {
		s.printFindings(findings)
		s.printSettings()
	}
	return exit.Silently(code)
}

// testItem reads the item for check --listener.
func (s *session) testItem() ([]byte, error) {
	if s.cfg.TestItem == "" {
		return nil, nil
	}
	item, err := transmit.ReadSmall(s.cfg.TestItem, s.cfg.Spool.MaxFileSize)
	if err == nil && len(item) == 0 {
		err = fmt.Errorf("%s is empty", s.cfg.TestItem)
	}
	if err != nil {
		return nil, exit.With(exit.Config, fmt.Errorf("test item: %w", err))
	}
	return item, nil
}

// examineBreaker returns the breaker, unless a run would not get that far.
func (s *session) examineBreaker() (*breaker.Breaker, error) {
	if err := s.notExamined(); err != nil {
		return nil, err
	}
	return s.newBreaker()
}

// printSettings shows what somebody has set, and with -v the defaults too.
func (s *session) printSettings() {
	s.out.Line("")
	defaults := 0
	for _, e := range s.cfg.Effective() {
		if e.IsDefault && !s.cfg.Verbose {
			defaults++
			continue
		}
		values, isList := e.Value.([]string)
		if !isList {
			values = []string{fmt.Sprint(e.Value)}
		}
		for _, v := range values {
			s.out.Line("     %s = %s  (%s)", e.Name, v, e.Source)
		}
	}
	if defaults > 0 {
		s.out.Line("     %s with the default; -v shows all", console.Count(defaults, "setting"))
	}
}

func (s *session) printFindings(findings []doctor.Finding) {
	for _, f := range findings {
		s.out.Line("%-4s %s: %s", f.Level, f.About, f.Text)
		if f.Mend != "" {
			s.out.Line("     %s", f.Mend)
		}
	}
}
