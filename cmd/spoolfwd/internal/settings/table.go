package settings

import (
	"cmp"
	"errors"
	"strings"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
	"github.com/bitville-apm/spoolfwd/spool/transmit/jetstream/stream"
)

// table returns every setting, bound to the fields of v, in the groups and the order of help.
func table(v *Values) []Group {
	return []Group{
		{"The spool", []Setting{
			{Name: "spool", value: text(&v.Spool.Dir, notEmpty), arg: "DIR", commands: Work,
				Usage: "the spool directory"},
			{Name: "pattern", value: text(&v.Spool.Pattern, given(spool.CheckPattern)), arg: "GLOB", commands: Spool,
				Usage: "names of payload files in the spool"},
			{Name: "max-file-size", value: size(&v.Spool.MaxFileSize, positive), commands: Spool,
				Usage: "payload files above this are rejected unread"},
			{Name: "min-age", value: duration(&v.Spool.MinAge, notNegative), commands: Delivery,
				Usage: "leave payload files alone that were changed less than D ago; 0 is off"},
			{Name: "array-files", value: choice(&v.Spool.Whole, []string{"split", "whole"}, false, true), commands: Delivery,
				Usage: "POST each element of a JSON array by itself, or the array as it stands"},
			{Name: "raw", value: toggle(&v.Spool.Raw), commands: Delivery | Put,
				Usage: "payload files need not be JSON; each is one item"},
		}},
		{"The listener", []Setting{
			{Name: "url", value: text(&v.Listener.URL, checkURL), arg: "URL", commands: Delivery | Status, mask: RedactURL,
				Usage: "where items are sent: http or https, or nats://HOST:PORT,HOST:PORT/SUBJECT of a JetStream stream"},
			{Name: "method", value: choice(&v.Listener.Method, []string{"POST", "PUT"}, "POST", "PUT"), commands: Delivery,
				Usage: "PUT each item under a name of its own, which {key} in --url gives it, or POST"},
			{Name: "timeout", value: duration(&v.Listener.Timeout, transmit.CheckTimeout), commands: Delivery | Status,
				Usage: "time for a whole request and its answer"},
			{Name: "connect-timeout", value: duration(&v.Listener.ConnectTimeout, transmit.CheckTimeout), commands: Delivery | Status,
				Usage: "time for connecting to one address of the listener"},
			{Name: "keep-alive", value: inverted(&v.Listener.DisableKeepAlives), commands: Delivery,
				Usage: "use connections again; --keep-alive=false is for listeners that answer twice"},
			{Name: "unix-socket", value: text(&v.Listener.UnixSocket, transmit.CheckUnixSocket), arg: "PATH", commands: Delivery,
				Usage: "connect to this Unix socket instead of the host in --url"},
			{Name: "proxy", value: text(&v.Listener.Proxy, transmit.CheckProxy), arg: "URL|none", commands: Delivery, mask: transmit.RedactProxy,
				Usage: "connect through this proxy, or none, whatever the environment says"},
			{Name: "token-file", value: text(&v.Listener.TokenFile, nil), arg: "FILE", commands: Delivery,
				Usage: "send the content of FILE as a bearer token; defaults to the systemd credential spoolfwd.token"},
			{Name: "creds-file", value: text(&v.CredsFile, nil), arg: "FILE", commands: Delivery,
				Usage: "NATS: the credentials of a user, JWT and seed, or the seed alone"},
			{Name: "token-command", value: text(&v.Listener.TokenCommand, transmit.CheckTokenCommand), arg: "CMD", commands: Delivery, mask: maskCommand,
				Usage: "ask this program for the bearer token, without a shell, when there is something to send"},
			{Name: "header", value: list(&v.Listener.Headers, transmit.CheckHeader), arg: "'K: V'", commands: Delivery, mask: maskHeader,
				Usage: "also send this header, or the headers in a file with @FILE; may be repeated"},
			{Name: "content-type", value: text(&v.Listener.ContentType, transmit.CheckContentType), arg: "TYPE", commands: Delivery,
				Usage: "the Content-Type of every request"},
			{Name: "compress", value: choice(&v.Listener.Compress, []string{"none", transmit.Gzip, transmit.Zstd}, "", transmit.Gzip, transmit.Zstd), commands: Delivery,
				Usage: "compress request bodies; the listener must understand it"},
			{Name: "ca-file", value: text(&v.Listener.CAFile, nil), arg: "FILE", commands: Delivery,
				Usage: "trust the certificate authorities in this PEM file instead of the system's"},
			{Name: "cert-file", value: text(&v.Listener.CertFile, nil), arg: "FILE", commands: Delivery,
				Usage: "client certificate for the listener, PEM"},
			{Name: "key-file", value: text(&v.Listener.KeyFile, nil), arg: "FILE", commands: Delivery,
				Usage: "private key of --cert-file, PEM"},
			{Name: "tls-resume", value: toggle(&v.TLSResume), commands: drains,
				Usage: "resume the TLS session of the last run, which is kept in --state-dir"},
			{Name: "expect-header", value: text(&v.Listener.ExpectHeader, transmit.CheckExpectHeader), arg: "'NAME: VALUE'", commands: Delivery,
				Usage: "an answer without this header delivers nothing, as those of a captive portal"},
			{Name: "on-status", value: list(&v.Listener.OnStatus, transmit.CheckOnStatus), arg: "CODE=ACTION", commands: Delivery,
				Usage: "delivered, reject or keep the payload for a status or a range (404=reject, 4xx=keep); may be repeated"},
			{Name: "offline", value: toggle(&v.Offline), commands: Check, places: flagOnly,
				Usage: "ask neither the listener nor a token command; what is missing on this machine is a warning"},
			{Name: "listener", value: toggle(&v.TestListener), commands: Check, places: flagOnly,
				Usage: "also deliver marked test items to the listener, and say how it keeps its contract"},
			{Name: "test-item", value: text(&v.TestItem, nil), arg: "FILE", commands: Check, places: flagOnly,
				Usage: "--listener: deliver the content of FILE as the test item"},
			{Name: "concurrency", value: integerOrAuto(&v.Drain.Concurrency, drain.CheckConcurrency), commands: drains,
				Usage: "requests in flight at most; auto is as many as the listener takes at once; 1 keeps strict order"},
			{Name: "max-concurrency", value: integer(&v.Drain.MaxConcurrency, drain.CheckConcurrency), commands: drains,
				Usage: "--concurrency auto: requests in flight at most"},
			{Name: "batch-items", value: integer(&v.Drain.BatchItems, checkBatchItems), commands: Delivery,
				Usage: "send up to N items in one request, to a listener that takes that"},
			{Name: "batch-bytes", value: size(&v.Drain.BatchBytes, positive), commands: Delivery,
				Usage: "--batch-items: up to BYTES of items in one request"},
			{Name: "batch-format", value: choice(&v.Drain.BatchFormat, []string{"ndjson", "array", "cloudevents"}, drain.NDJSON, drain.Array, drain.CloudEvents), commands: Delivery,
				Usage: "--batch-items: one item a line, a JSON array of them, or of CloudEvents, which also single items become"},
			{Name: "event-type", value: text(&v.Drain.EventType, drain.CheckEventType), arg: "TYPE", commands: Delivery,
				Usage: "--batch-format cloudevents: the type of the events"},
		}},
		{"The breaker", []Setting{
			{Name: "name", value: text(&v.Breaker.Name, given(breaker.CheckName)), arg: "NAME", commands: Work,
				Usage: "the breaker's name; one per listener"},
			{Name: "state-dir", value: text(&v.Breaker.StateDir, notEmpty), arg: "DIR", commands: Work,
				Usage: "where the breaker's state and the lock are kept"},
			{Name: "host-id", value: text(&v.HostID, checkHostID), arg: "ID", commands: Breaker,
				Usage: "identity of this host in idempotency keys and jitter; defaults to the machine id, otherwise to one kept in --state-dir"},
			{Name: "failure-threshold", value: integer(&v.Breaker.FailureThreshold, breaker.CheckThreshold), commands: Breaker,
				Usage: "the breaker opens after N failures in a row"},
			{Name: "retry-timeout", value: duration(&v.Breaker.RetryTimeout, breaker.CheckTimeout), commands: Breaker,
				Usage: "an open breaker lets one probe through after D"},
			{Name: "retry-jitter", value: decimal(&v.Breaker.RetryJitter, breaker.CheckJitter), arg: "PCT", commands: Breaker,
				Usage: "lengthen the retry timeout by up to PCT percent, a fixed part per machine; 0 is off"},
			{Name: "retry-timeout-max", value: duration(&v.Breaker.RetryTimeoutMax, notNegative), commands: Breaker,
				Usage: "each failed probe doubles the retry timeout, up to D; 0 is off"},
			{Name: "max-retry-after", value: duration(&v.Breaker.MaxRetryAfter, breaker.CheckTimeout), commands: Breaker,
				Usage: "obey a listener's Retry-After up to D"},
			{Name: "force", value: toggle(&v.Force), commands: Flush, places: flagOnly,
				Usage: "let one request through an open breaker"},
			{Name: "wait", value: duration(&v.Wait, notNegative), commands: drains,
				Usage: "wait for a probe that is due within D; 0 is off"},
			{Name: "for", value: duration(&v.For, notNegative), commands: BreakerTrip, places: flagOnly,
				Usage: "keep the breaker open for D; 0 is one retry timeout"},
		}},
		{"Limits", []Setting{
			{Name: "max-attempts", value: integer(&v.Drain.MaxAttempts, positive), commands: drains,
				Usage: "reject a payload after N runs in which it failed and others did not"},
			{Name: "max-runtime", value: duration(&v.MaxRuntime, notNegative), commands: drains,
				Usage: "stop after D; 0 means no limit"},
			{Name: "max-items", value: integer(&v.Drain.MaxItems, notNegative), commands: drains,
				Usage: "stop after N items; 0 means no limit"},
			{Name: "max-bytes", value: size(&v.Drain.MaxBytes, notNegative), commands: drains,
				Usage: "stop after BYTES of payload; 0 means no limit"},
			{Name: "rejected-max-age", value: duration(&v.RejectedMaxAge, notNegative), commands: drains,
				Usage: "delete rejected payloads older than D; 0 keeps them"},
			{Name: "rejected-max-bytes", value: size(&v.RejectedMaxBytes, notNegative), commands: drains,
				Usage: "delete the oldest rejected payloads above BYTES in all; 0 keeps them"},
			{Name: "max-age", value: duration(&v.Drain.MaxAge, notNegative), commands: drains,
				Usage: "move payload files to rejected/ that have waited for more than D; 0 means no limit"},
			{Name: "max-spool-bytes", value: size(&v.Drain.MaxSpoolBytes, notNegative), commands: drains | Put,
				Usage: "the spool holds up to BYTES: put refuses more, a run moves the oldest to rejected/; 0 means no limit"},
			{Name: "max-spool-files", value: integer(&v.Drain.MaxSpoolFiles, notNegative), commands: drains | Put,
				Usage: "the spool holds up to N payload files: put refuses more, a run moves the oldest to rejected/; 0 means no limit"},
		}},
		{"Selection", []Setting{
			{Name: "status", value: list(&v.Statuses, transmit.CheckStatus), arg: "CODE", commands: rejecteds, places: flagOnly,
				Usage: "only payloads rejected with this HTTP status or range (400, 4xx); may be repeated"},
			{Name: "older-than", value: duration(&v.OlderThan, notNegative), commands: rejecteds, places: flagOnly,
				Usage: "only payloads rejected longer ago than D"},
			{Name: "all", value: toggle(&v.All), commands: Show | Retry | Remove, places: flagOnly,
				Usage: "every rejected payload"},
		}},
		{"Output", []Setting{
			{Name: "dry-run", value: toggle(&v.DryRun), commands: drains, places: flagOnly,
				Usage: "say what would be sent, in order, and touch nothing"},
			{Name: "metrics-file", value: text(&v.MetricsFile, nil), arg: "FILE", commands: drains,
				Usage: "write metrics for Prometheus into FILE at the end; node_exporter's textfile collector reads *.prom"},
			{Name: "check", value: toggle(&v.Check), commands: Status, places: flagOnly,
				Usage: "be a Nagios plugin: one line, performance data, exit codes 0 to 3"},
			{Name: "warning-age", value: duration(&v.WarningAge, notNegative), commands: Status,
				Usage: "--check: warn when the oldest payload file is older than D; 0 is never"},
			{Name: "critical-age", value: duration(&v.CriticalAge, notNegative), commands: Status,
				Usage: "--check: critical when the oldest payload file is older than D; 0 is never"},
			{Name: "warning-files", value: integer(&v.WarningFiles, notNegative), commands: Status,
				Usage: "--check: warn above N payload files; 0 is never"},
			{Name: "critical-files", value: integer(&v.CriticalFiles, notNegative), commands: Status,
				Usage: "--check: critical above N payload files; 0 is never"},
			{Name: "json", value: toggle(&v.JSON), commands: Work,
				Usage: "print JSON"},
			{Name: "verbose", Short: "v", value: toggle(&v.Verbose), commands: Work,
				Usage: "verbose messages"},
			{Name: "log-format", value: choice(&v.LogFormat, []string{"text", "json"}, "text", "json"), commands: Work,
				Usage: "format of the messages on standard error"},
		}},
		{"General", []Setting{
			{Name: "config", value: text(&v.Config, nil), arg: "FILE", commands: Work, places: notInFile,
				Usage: "read settings from this TOML file; without it, from /etc/spoolfwd/spoolfwd.toml if that exists"},
			{Name: "help", Short: "h", value: toggle(&v.Help), commands: Work | Program | Groups | Plain, places: flagOnly,
				Usage: "show this help"},
			{Name: "version", value: toggle(&v.Version), commands: Program, places: flagOnly,
				Usage: "print the version"},
		}},
	}
}

// given refuses an empty text, which a package would take for its default, and otherwise asks rule.
func given(rule func(string) error) func(string) error {
	return func(text string) error {
		return cmp.Or(notEmpty(text), rule(text))
	}
}

// checkBatchItems asks for a spool of JSON. See checkTogether for one that is raw.
func checkBatchItems(n int) error { return drain.CheckBatchItems(n, false) }

// checkURL and RedactURL know the URLs of both transmitters.
func checkURL(raw string) error {
	if stream.Speaks(raw) {
		return stream.Check(raw)
	}
	err := transmit.CheckURL(raw)
	if err != nil && !strings.HasPrefix(raw, "http") {
		return errors.New("must begin with http:// or https://, or for NATS with nats://, tls://, ws:// or wss://")
	}
	return err
}

// RedactURL returns the listener's URL for display.
func RedactURL(raw string) string {
	if stream.Speaks(raw) {
		return stream.Redact(raw)
	}
	return transmit.Redact(raw)
}

// checkHostID lets an empty identity stand for the default.
func checkHostID(id string) error {
	if id == "" {
		return nil
	}
	return breaker.CheckHostID(id)
}

// maskCommand shows the program. Its arguments may hold a secret.
func maskCommand(line string) string {
	program, arguments, _ := strings.Cut(strings.TrimSpace(line), " ")
	if arguments == "" {
		return program
	}
	return program + " (arguments hidden)"
}

// maskHeader shows the name of a header, or of a file with headers.
func maskHeader(entry string) string {
	name, _, isHeader := strings.Cut(entry, ":")
	if isHeader && !strings.HasPrefix(entry, "@") {
		return name + ": (hidden)"
	}
	return entry
}
