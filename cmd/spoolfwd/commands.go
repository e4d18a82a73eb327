package main

import (
	"cmp"
	"context"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/settings"
)

// command declares one command: its words, what it takes and what it does.
type command struct {
	name     string
	usage    string
	operands string // as help shows them
	most     int    // operands at most; -1 = any number
	about    string
	examples []string
	takes    settings.Commands
	exits    map[exit.Code]string                  // besides those of every command; see ending
	offers   func(*session) []candidate            // for completion: what an operand may be; nil: a file name, or none
	action   func(context.Context, *session) error // nil: a group of commands
	sub      []command
}

// ending reports whether the command can end with a code of the table, and in which words help says
// so: the command's own, otherwise the table's. A group ends as its commands do.
func (c command) ending(m exit.Meaning) (words string, can bool) {
	for _, sub := range c.sub {
		if words, can := sub.ending(m); can && c.takes&settings.Program != 0 {
			return m.Text, true
		} else if can {
			return words, true
		}
	}
	words, own := c.exits[m.Code]
	switch m.Code {
	case exit.OK:
		return cmp.Or(words, "done"), true
	case exit.Usage, exit.IO:
		own = true
	case exit.Permission, exit.Config, exit.Hangup, exit.Interrupt, exit.Terminated:
		own = own || c.takes&settings.Work != 0
	}
	return cmp.Or(words, m.Text), own
}

// program returns the command that the program is without a command.
func program() command {
	return command{
		name: "spoolfwd", usage: "send spooled payload files to an HTTP listener", takes: settings.Program, sub: commands(),
		about: `Producers leave payload files in a spool directory; a run, started by cron, a
systemd timer or by hand, POSTs what is in them to a listener and removes what
the listener has taken. A circuit breaker whose state outlives the process keeps
a failing listener from being hammered. Started by root, a command works as the
owner of the spool.`,
		examples: []string{
			"spoolfwd run --url https://apm.example.com/api/profiling",
			"spoolfwd status",
			"spoolfwd help run",
		},
	}
}

// commands returns every command in the order help lists them.
func commands() []command {
	return []command{
		{
			name: "run", usage: "send what is in the spool; for schedulers", takes: settings.Run, exits: drainExits(), action: runCommand,
			about: `Sends payload files oldest first until the spool is empty, the breaker opens or a
limit is reached. Prints nothing when all went well, or when another run holds
the lock. Interrupted, it lets the requests in flight end and saves its state.`,
			examples: []string{
				"spoolfwd run --config /etc/spoolfwd/spoolfwd.toml",
				"spoolfwd run --url https://apm.example.com/ingest --token-file /etc/spoolfwd/token",
				"spoolfwd run --dry-run",
			},
		},
		{
			name: "flush", usage: "send what is in the spool; by hand", takes: settings.Flush, exits: drainExits(), action: flushCommand,
			about: `Does what run does and tells about it: a progress bar on a terminal, a summary at
the end. An open breaker stops it, unless a probe is due soon or --force is given.`,
			examples: []string{"spoolfwd flush", "spoolfwd flush --wait 5m", "spoolfwd flush --force"},
		},
		{
			name: "status", usage: "show breaker and spool", takes: settings.Status, action: statusCommand,
			about: "Shows the breaker, what waits in the spool and what was rejected. Changes nothing.",
			examples: []string{
				"spoolfwd status --json",
				"spoolfwd status --check --warning-age 10m --critical-age 1h",
			},
		},
		{
			name: "put", usage: "spool payloads, durably", operands: "[FILE...]", most: -1, takes: settings.Put, exits: map[exit.Code]string{exit.Rejected: "a payload was refused: it is not JSON, or too large", exit.SpoolFull: "the spool or its disk is full"}, action: putCommand,
			about: `Spools standard input, or each FILE ("-" is standard input), as one payload file
and prints its name. A payload is on the disk when its name is printed.`,
			examples: []string{
				`echo '{"duration_ms": 1204}' | spoolfwd put`,
				"spoolfwd put --max-spool-bytes 1GiB report.json",
			},
		},
		{
			name: "rejected", usage: "look after rejected payloads", takes: settings.Groups,
			about: "Rejected payloads lie in rejected/ inside the spool, each beside the reason.",
			sub:   rejectedCommands(),
		},
		{
			name: "breaker", usage: "look after the breaker", takes: settings.Groups, sub: breakerCommands(),
		},
		{
			name: "check", usage: "examine configuration, directories and listener; sends no payload", takes: settings.Check, exits: map[exit.Code]string{exit.OK: "a run could deliver", exit.Left: "the listener cannot be reached, or breaks its contract"}, action: checkCommand,
			about: `Prints one line per examination: ok, warn or fail, with the remedy. Then come the
settings that differ from their defaults, and where they come from; -v shows all. Changes nothing and sends no
payload. Ends with the code that a run would end with. With --listener it also
delivers test items to the listener, marked with the header Spoolfwd-Test: 1, and
says what of the contract for listeners holds.`,
			examples: []string{"spoolfwd check --config /etc/spoolfwd/spoolfwd.toml", "spoolfwd check --json", "spoolfwd check --listener"},
		},
		{
			name: "completion", usage: "print the completion for a shell", operands: "bash|zsh|fish", most: -1, takes: settings.Plain, offers: offerShells, action: completionCommand,
			about: `The packages install the completions. Otherwise load the one of your shell, or write
it to where the shell looks for completions.`,
			examples: []string{
				"source <(spoolfwd completion bash)",
				"spoolfwd completion fish >~/.config/fish/completions/spoolfwd.fish",
			},
		},
		{
			name: "version", usage: "print the version", takes: settings.Plain, action: versionCommand,
			examples: []string{"spoolfwd version"},
		},
	}
}

func rejectedCommands() []command {
	return []command{
		{
			name: "list", usage: "list rejected payloads", operands: "[NAME|GLOB...]", most: -1, takes: settings.List, offers: offerRejected, action: rejectedList,
			examples: []string{"spoolfwd rejected list", "spoolfwd rejected list --status 4xx --older-than 7d", "spoolfwd rejected list --json"},
		},
		{
			name: "show", usage: "show why a payload was rejected, and the payload", operands: "[NAME|GLOB...]", most: -1, takes: settings.Show, offers: offerRejected, action: rejectedShow,
			examples: []string{"spoolfwd rejected show buffer_1763848123.12_0a1b2c3d.json", "spoolfwd rejected show --status 400 --json"},
		},
		{
			name: "retry", usage: "put rejected payloads back into the spool", operands: "[NAME|GLOB...]", most: -1, takes: settings.Retry, exits: onlyLocked(), offers: offerRejected, action: rejectedRetry,
			about:    "They are sent again, under their old idempotency keys, by the next run.",
			examples: []string{"spoolfwd rejected retry --all", "spoolfwd rejected retry --status 413", "spoolfwd rejected retry 'buffer_*'"},
		},
		{
			name: "remove", usage: "delete rejected payloads for good", operands: "[NAME|GLOB...]", most: -1, takes: settings.Remove, exits: onlyLocked(), offers: offerRejected, action: rejectedRemove,
			examples: []string{"spoolfwd rejected remove --older-than 30d", "spoolfwd rejected remove --all"},
		},
	}
}

func breakerCommands() []command {
	return []command{
		{
			name: "show", usage: "show the breaker's state", takes: settings.BreakerShow, action: breakerShow,
			examples: []string{"spoolfwd breaker show", "spoolfwd breaker show --json"},
		},
		{
			name: "reset", usage: "close the breaker and forget its failures", takes: settings.BreakerReset, exits: onlyLocked(), action: breakerReset,
			examples: []string{"spoolfwd breaker reset"},
		},
		{
			name: "trip", usage: "open the breaker by hand", takes: settings.BreakerTrip, exits: onlyLocked(), action: breakerTrip,
			about:    "Nothing is sent until the time is over or the breaker is reset.",
			examples: []string{"spoolfwd breaker trip --for 2h"},
		},
	}
}

// drainExits returns the codes of the commands that send.
func drainExits() map[exit.Code]string {
	return map[exit.Code]string{exit.OK: "drained, or nothing to do", exit.Rejected: "payloads were rejected or expired", exit.Left: "", exit.Busy: ""}
}

// onlyLocked returns the codes of the commands that need the lock and send nothing.
func onlyLocked() map[exit.Code]string {
	return map[exit.Code]string{exit.Busy: "a run holds the lock"}
}

// find returns the command of a group that has this name.
func (c command) find(name string) (command, bool) {
	for _, sub := range c.sub {
		if sub.name == name {
			return sub, true
		}
	}
	return command{}, false
}

func namesOf(level []command) []string {
	var names []string
	for _, c := range level {
		names = append(names, c.name)
	}
	return names
}
