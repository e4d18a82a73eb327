package main

import (
	"context"
	"strings"
)

// command declares one command: its words, what it takes and what it does.
type command struct {
	name     string
	usage    string
	operands string // as help shows them
	most     int    // operands at most; -1 = any number
	about    string
	examples []string
	use      uses
	action   func(context.Context, *session) error // nil: a group of commands
	sub      []command
}

const aboutProgram = `Producers leave payload files in a spool directory; a run, started by cron, a
systemd timer or by hand, POSTs what is in them to a listener and removes what
the listener has taken. A circuit breaker whose state outlives the process keeps
an ailing listener from being hammered.`

func programExamples() []string {
	return []string{
		"spoolfwd run --url https://apm.example.com/api/profiling",
		"spoolfwd status",
		"spoolfwd help run",
	}
}

// commands returns every command in the order help lists them.
func commands() []command {
	return []command{
		{
			name: "run", usage: "send what is in the spool; for schedulers", use: useRun, action: runCommand,
			about: `Sends payload files oldest first until the spool is empty, the breaker opens or a
limit is reached. Prints nothing when all went well, or when another run is at
work. Interrupted, it lets the requests in flight end and saves its state.`,
			examples: []string{
				"spoolfwd run --config /etc/spoolfwd/spoolfwd.toml",
				"spoolfwd run --url https://apm.example.com/ingest --token-file /etc/spoolfwd/token",
				"spoolfwd run --dry-run",
			},
		},
		{
			name: "flush", usage: "send what is in the spool; by hand", use: useFlush, action: flushCommand,
			about: `Does what run does and tells about it: a progress bar on a terminal, a summary at
the end. An open breaker stops it, unless it may wait or is forced.`,
			examples: []string{"spoolfwd flush", "spoolfwd flush --wait 5m", "spoolfwd flush --force"},
		},
		{
			name: "status", usage: "show breaker and spool", use: useStatus, action: statusCommand,
			about: "Shows the breaker, what waits in the spool and what was rejected. Changes nothing.",
			examples: []string{
				"spoolfwd status --json",
				"spoolfwd status --check --warning-age 10m --critical-age 1h",
			},
		},
		{
			name: "put", usage: "spool payloads, durably", operands: "[FILE...]", most: -1, use: usePut, action: putCommand,
			about: `Spools standard input, or each FILE ("-" is standard input), as one payload file
and prints its name. A payload is on the disk when its name is printed.`,
			examples: []string{
				`echo '{"duration_ms": 1204}' | spoolfwd put`,
				"spoolfwd put --max-spool-bytes 1GiB report.json",
			},
		},
		{
			name: "rejected", usage: "look after rejected payloads",
			about: "Rejected payloads lie in rejected/ inside the spool, each beside the reason.",
			sub:   rejectedCommands(),
		},
		{
			name: "breaker", usage: "look after the breaker", sub: breakerCommands(),
		},
		{
			name: "check", usage: "examine configuration, directories and listener; sends no payload", use: useCheck, action: checkCommand,
			about: `Prints every setting with its value and where it comes from, then one line per
examination: ok, warn or fail, with the mend. Changes nothing and sends no
payload. Ends with the code that a run would end with.`,
			examples: []string{"spoolfwd check --config /etc/spoolfwd/spoolfwd.toml", "spoolfwd check --json"},
		},
	}
}

func rejectedCommands() []command {
	return []command{
		{
			name: "list", usage: "list rejected payloads", operands: "[NAME|GLOB...]", most: -1, use: useList, action: rejectedList,
			examples: []string{"spoolfwd rejected list", "spoolfwd rejected list --status 4xx --older-than 7d", "spoolfwd rejected list --json"},
		},
		{
			name: "show", usage: "show why a payload was rejected, and the payload", operands: "[NAME|GLOB...]", most: -1, use: useShow, action: rejectedShow,
			examples: []string{"spoolfwd rejected show buffer_1763848123.12_0a1b2c3d.json", "spoolfwd rejected show --status 400 --json"},
		},
		{
			name: "retry", usage: "put rejected payloads back into the spool", operands: "[NAME|GLOB...]", most: -1, use: useRetry, action: rejectedRetry,
			about:    "They are sent again, under their old idempotency keys, by the next run.",
			examples: []string{"spoolfwd rejected retry --all", "spoolfwd rejected retry --status 413", "spoolfwd rejected retry 'buffer_*'"},
		},
		{
			name: "remove", usage: "delete rejected payloads for good", operands: "[NAME|GLOB...]", most: -1, use: useRemove, action: rejectedRemove,
			examples: []string{"spoolfwd rejected remove --older-than 30d", "spoolfwd rejected remove --all"},
		},
	}
}

func breakerCommands() []command {
	return []command{
		{
			name: "show", usage: "show the breaker's state", use: useBreakerShow, action: breakerShow,
			examples: []string{"spoolfwd breaker show", "spoolfwd breaker show --json"},
		},
		{
			name: "reset", usage: "close the breaker and forget its failures", use: useBreakerReset, action: breakerReset,
			examples: []string{"spoolfwd breaker reset"},
		},
		{
			name: "trip", usage: "open the breaker by hand", use: useBreakerTrip, action: breakerTrip,
			about:    "Nothing is sent until the time is over or the breaker is reset.",
			examples: []string{"spoolfwd breaker trip --for 2h"},
		},
	}
}

func findCommand(level []command, name string) (command, bool) {
	for _, c := range level {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}

// commandAt returns the command at a path such as "spoolfwd breaker show".
func commandAt(path string) command {
	words := strings.Fields(path)
	c := command{sub: commands()}
	for _, word := range words[1:] {
		c, _ = findCommand(c.sub, word)
	}
	return c
}
