package settings

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// checkTogether finds values that are right by themselves and wrong together.
func (s *Settings) checkTogether() error {
	var problems []error
	refuse := func(wrong bool, message string, names ...string) {
		if wrong {
			problems = append(problems, s.sourceOf(names).wrong(errors.New(message)))
		}
	}
	refuse((s.Listener.CertFile == "") != (s.Listener.KeyFile == ""),
		"--cert-file and --key-file need each other", "cert-file", "key-file")
	refuse(s.Listener.UnixSocket != "" && s.Listener.Proxy != "" && s.Listener.Proxy != transmit.NoProxy,
		"--unix-socket and --proxy are both given: give one", "unix-socket", "proxy")
	refuse(s.Listener.TokenCommand != "" && s.Listener.TokenFile != "",
		"--token-file and --token-command are both given: give one", "token-file", "token-command")
	problems = append(problems, s.checkNATS())
	refuse(breaker.CheckTimeoutMax(s.Breaker.RetryTimeoutMax, s.Breaker.RetryTimeout) != nil,
		"--retry-timeout-max is below --retry-timeout", "retry-timeout-max", "retry-timeout")
	err := drain.CheckBatchItems(s.Drain.BatchItems, s.Spool.Raw)
	refuse(err != nil, fmt.Sprint("--raw and --batch-items do not go together: ", err), "raw", "batch-items")
	refuse(s.Offline && s.TestListener, "--offline does not go with --listener", "listener")
	refuse(s.TestItem != "" && !s.TestListener, "--test-item needs --listener", "test-item")
	err = drain.CheckBatchFormat(s.Drain.BatchFormat, s.Spool.Raw)
	refuse(err != nil, fmt.Sprint("--raw and --batch-format cloudevents do not go together: ", err), "raw", "batch-format")
	// The breaker's files among payload files could be sent, rejected, counted or cleaned away with
	// them.
	refuse(sameDirectory(s.Breaker.StateDir, s.Spool.Dir) || sameDirectory(s.Breaker.StateDir, filepath.Join(s.Spool.Dir, spool.RejectedDir)),
		"--state-dir is also the spool, or its directory of rejected payloads: give it a directory of its own", "state-dir", "spool")
	// A single age that is given may be beyond the default of the other.
	agesGiven := s.find("warning-age").source.Where != "" && s.find("critical-age").source.Where != ""
	refuse(agesGiven && s.CriticalAge > 0 && s.WarningAge > s.CriticalAge,
		"--warning-age is above --critical-age", "warning-age", "critical-age")
	refuse(s.CriticalFiles > 0 && s.WarningFiles > s.CriticalFiles,
		"--warning-files is above --critical-files", "warning-files", "critical-files")
	return errors.Join(problems...)
}

// sourceOf returns where the values of several settings came from. It is the command line only if
// none of them came from the configuration.
func (s *Settings) sourceOf(names []string) Source {
	var given Source
	for _, name := range names {
		source := s.find(name).source
		if source.Where != "" && (given.Where == "" || given.Flag) {
			given = source
		}
	}
	return given
}

// sameDirectory compares what paths lead to, or would lead to if it were there.
func sameDirectory(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return os.SameFile(infoA, infoB)
	}
	a, b = filepath.Clean(a), filepath.Clean(b)
	return a == b || filepath.Base(a) == filepath.Base(b) && sameDirectory(filepath.Dir(a), filepath.Dir(b))
}
