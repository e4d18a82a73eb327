package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// keyOf delivers one payload file and returns the key it was sent under.
func (w *world) keyOf(args ...string) string {
	w.t.Helper()
	w.put("a.json", "1")
	w.do("run", args...).wantCode(w.t, exit.OK).wantSilence(w.t)
	return w.heads[len(w.heads)-1].Get("Idempotency-Key")
}

func TestAHostWithoutAMachineIDKeepsAnIdentityInTheStateDirectory(t *testing.T) {
	w := newWorld(t)
	withMachineID := w.keyOf()
	path := filepath.Join(w.state, "host-id")
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("an identity is kept although there is a machine id: %v", err)
	}

	w.env.MachineID = func() string { return "" }
	w.put("a.json", "1")
	before := w.snapshot()
	for _, command := range []string{"status", "run --dry-run", "breaker show"} {
		name, flags := command, []string(nil)
		if command == "run --dry-run" {
			name, flags = "run", []string{"--dry-run"}
		}
		w.do(name, flags...).wantCode(t, exit.OK)
	}
	if after := w.snapshot(); after != before {
		t.Errorf("a command that only looks changed\n%sto\n%s", before, after)
	}
	keys := []string{withMachineID, w.keyOf()}
	if again := w.keyOf(); again != keys[1] {
		t.Errorf("the key was %s and is %s", keys[1], again)
	}

	keys = append(keys, w.keyOf("--host-id", "web-1"))
	w.env.MachineID = func() string { return "0123456789abcdef" }
	if again := w.keyOf("--host-id", "web-1"); again != keys[2] {
		t.Errorf("under one --host-id the keys are %s and %s", keys[2], again)
	}
	slices.Sort(keys)
	if len(slices.Compact(keys)) != 3 {
		t.Errorf("three identities give the keys %q", keys)
	}
}

func TestAHostIDWithASpaceIsRefused(t *testing.T) {
	newWorld(t).do("run", "--host-id", "web 1").wantCode(t, exit.Usage)
}
