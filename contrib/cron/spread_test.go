package cron_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// cron starts a whole fleet in one second, so each machine waits for a second of its own.
func TestARunBeginsAtTheMachinesOwnSecond(t *testing.T) {
	c := newCron(t)
	c.program(t, "sleep", `echo "slept $1" >>"${0%/*}/sleeps"`)
	c.run(t, 0, "")
	if _, err := os.Stat(filepath.Join(c.dir, "sleeps")); err == nil {
		t.Error("it sleeps although the spread is 0")
	}
	c.spread = "55"
	for _, id := range []string{"a", "a", "b", "c"} {
		c.program(t, "cat", "echo "+id) // of the machine id
		c.run(t, 0, "")
	}
	c.mustSleepByMachine(t)
}

// A cloned image has an empty machine id, or a word in its place, until its first start.
func TestAMachineWithoutAnIDGoesByItsName(t *testing.T) {
	for _, id := range []string{"exit 1", "exit 0", "echo uninitialized"} {
		c := newCron(t)
		c.spread = "55"
		c.program(t, "sleep", `echo "slept $1" >>"${0%/*}/sleeps"`)
		c.program(t, "cat", id)
		for _, name := range []string{"a", "a", "b", "c"} {
			c.program(t, "uname", "echo "+name)
			c.run(t, 0, "")
		}
		c.mustSleepByMachine(t)
	}
}

// mustSleepByMachine checks how long machines a, a, b and c have slept.
func (c *cron) mustSleepByMachine(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.dir, "sleeps"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(strings.ReplaceAll(string(text), "slept ", ""))
	if len(lines) != 4 || lines[0] != lines[1] || lines[0] == lines[2] && lines[0] == lines[3] {
		t.Fatalf("machines a, a, b and c sleep for %v seconds, want the same for the same machine", lines)
	}
	for _, line := range lines {
		if n, err := strconv.Atoi(line); err != nil || n < 0 || n >= 55 {
			t.Errorf("it sleeps for %q, want 0 to 54 seconds", line)
		}
	}
}
