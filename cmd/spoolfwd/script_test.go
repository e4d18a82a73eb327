package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the scripts in testdata/script: the real binary against the real fake listener,
// seen from outside. Each script shows one behaviour and begins with the reason for it. Besides
// testscript's own commands there are
//
//	listener [FLAGS]       start fakelistener; SPOOLFWD_URL names it
//	answers SCRIPT         give it another script
//	counts KEY N           expect one of the counts of its control endpoint
//	until KEY N            the same, but wait for it
//	spool N PREFIX [AGE]   put N object files PREFIX0000.json... into the spool
//	buffer NAME FROM TO    put an array file of items FROM to TO into the spool
//	files N [DIR]          expect N payload files in the spool, or in DIR
//	exits CODE COMMAND...  expect an exit code
//	exits CODE at D spoolfwd ARGS...    the same with the clock D ahead
//	exits CODE at @D spoolfwd ARGS...   the same with a clock that stands still, D after the
//	                                    beginning of the script
//	start NAME spoolfwd ARGS...         run it in the background
//	signal NAME SIGNAL     send it TERM, INT, HUP, STOP, CONT or KILL
//	ended NAME CODE        wait for its end and expect an exit code
//	immutable on|off FILE  make a file undeletable, as chattr +i does
//
// and the conditions [root] and [immutable]. $TLS_CERT and $TLS_KEY are a pair for a listener that
// speaks TLS, $TLS_CA is the authority behind it, and $TLS_OTHER_CA is another one.
//
// The forms with "at" call run in this process, because only there the clock can be moved; state,
// spool and listener are those of the processes before it. With "@" no more time passes than the
// script says, even on a slow machine, so that a script can look at the moment before a deadline.
// Do not mix it with processes: their clock goes on.
func TestScripts(t *testing.T) {
	bin := buildCommands(t)
	ours, others := newAuthority(t), newAuthority(t)
	docs, err := filepath.Abs("../../contrib/doc")
	if err != nil {
		t.Fatal(err)
	}
	cert, key := pairFiles(t, ours.issue(t, "127.0.0.1", time.Now().Add(24*time.Hour)))
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("SPOOLFWD_SPOOL", filepath.Join(env.WorkDir, "spool"))
			env.Setenv("SPOOLFWD_STATE_DIR", filepath.Join(env.WorkDir, "state"))
			env.Setenv("SPOOLFWD_RETRY_JITTER", "0")
			env.Setenv("STATE", filepath.Join(env.WorkDir, "state", "central_listener.state"))
			env.Setenv("NO_PROXY", "*")
			env.Setenv("DOC", docs)
			env.Setenv("TLS_CERT", cert)
			env.Setenv("TLS_KEY", key)
			env.Setenv("TLS_CA", ours.file(t))
			env.Setenv("TLS_OTHER_CA", others.file(t))
			env.Setenv("START", time.Now().Format(time.RFC3339Nano))
			env.Values[processesKey{}] = processes{}
			return os.MkdirAll(filepath.Join(env.WorkDir, "spool"), 0o755)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"listener":  scriptListener,
			"answers":   scriptAnswers,
			"counts":    scriptCounts,
			"until":     scriptUntil,
			"spool":     scriptSpool,
			"buffer":    scriptBuffer,
			"files":     scriptFiles,
			"exits":     scriptExits,
			"start":     scriptStart,
			"signal":    scriptSignal,
			"ended":     scriptEnded,
			"immutable": scriptImmutable,
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "root":
				return os.Geteuid() == 0, nil
			case "immutable":
				return canBeImmutable(t), nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
	})
}

func refuse(ts *testscript.TestScript, neg, right bool, usage string) {
	if neg || !right {
		ts.Fatalf("usage: %s", usage)
	}
}
