package settings

import (
	"errors"
	"fmt"
	"strings"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
	"github.com/bitville-apm/spoolfwd/spool/transmit/jetstream/stream"
)

// checkNATS refuses what only HTTP has where items go to NATS, and the other way round. A setting
// that does nothing would otherwise be taken for one that does.
func (s *Settings) checkNATS() error {
	l := &s.Listener
	if !stream.Speaks(l.URL) {
		if s.CredsFile != "" {
			return s.sourceOf([]string{"creds-file"}).wrong(errors.New("--creds-file is for NATS, and --url is not: it begins with http"))
		}
		return nil
	}
	var problems []error
	for _, only := range []struct {
		name  string
		given bool
		why   string
	}{
		{"method", l.Method != transmit.DefaultConfig().Method, "NATS has no methods"},
		{"keep-alive", l.DisableKeepAlives, "NATS keeps its connection"},
		{"unix-socket", l.UnixSocket != "", "NATS is reached over TCP"},
		{"proxy", l.Proxy != "" && l.Proxy != transmit.NoProxy, "NATS is reached without a proxy"},
		{"token-command", l.TokenCommand != "", "NATS takes a token or USER:PASSWORD with --token-file, and a JWT with --creds-file"},
		{"compress", l.Compress != "", "a stream compresses by itself: nats stream edit --compression=s2"},
		{"expect-header", l.ExpectHeader != "", "only a stream can acknowledge an item"},
		{"on-status", len(l.OnStatus) > 0, "answers of NATS have no HTTP status"},
		{"batch-items", s.Drain.BatchItems > 1, "each item is a message of its own; --concurrency sends several at a time"},
		{"tls-resume", s.TLSResume && s.find("tls-resume").source.Where != "", "sessions are not kept for NATS"},
		{"listener", s.TestListener, "a test item would stay in the stream"},
	} {
		if only.given {
			problems = append(problems, s.sourceOf([]string{only.name}).wrong(fmt.Errorf("--%s is for HTTP, and --url begins with %s: %s", only.name, schemeOf(l.URL), only.why)))
		}
	}
	return errors.Join(problems...)
}

func schemeOf(url string) string {
	scheme, _, _ := strings.Cut(url, "://")
	return scheme + "://"
}
