package drain

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

// A full index, with the names that take the most bytes in JSON, is still one.
func TestTheFullestIndexCanBeReadAgain(t *testing.T) {
	x := &Index{path: filepath.Join(t.TempDir(), "x.index")}
	name := func(n int) string { return fmt.Sprintf("%s%05d", strings.Repeat("\x01", 250), n%maxIndexFiles) }
	key := func(n int) string { return fmt.Sprintf("%032d", n) }
	for n := range maxIndexDelivered {
		if _, room := x.addDeliveredLocked(name(n), key(n)); !room {
			t.Fatalf("there is no room for the delivered item %d", n)
		}
	}
	long := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.FixedZone("", 5*3600))
	for n := range maxIndexDeferred {
		x.addFailureLocked(attempt{name: name(n), key: key(n)})
		x.files[name(n)].Failed[key(n)] = Attempts{Count: 1 << 30, Counted: 1 << 30, First: long, Last: long, Status: 500}
	}
	if err := x.Save(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(x.path)
	if err != nil || info.Size() > maxIndexBytes*3/4 {
		t.Errorf("it has %d bytes and leaves little room below %d: %v", info.Size(), maxIndexBytes, err)
	}
	again, err := OpenIndex(x.path)
	if err != nil {
		t.Fatal(err)
	}
	if again.delivered != maxIndexDelivered || again.deferred != maxIndexDeferred || len(again.files) != maxIndexFiles {
		t.Errorf("it holds %d delivered items and %d deferred ones of %d files", again.delivered, again.deferred, len(again.files))
	}
	for n := range maxIndexDelivered {
		if !again.isDeliveredLocked(name(n), key(n)) {
			t.Fatalf("item %d is no longer known as delivered", n)
		}
	}
}

func TestAnIndexRemembersNoMoreFilesThanItsLimit(t *testing.T) {
	x := &Index{}
	for n := range maxIndexFiles {
		x.addFailureLocked(attempt{name: fmt.Sprint(n % maxIndexDeferred), key: "key"})
		x.addDeliveredLocked(fmt.Sprint(n), "key")
	}
	if _, room := x.addDeliveredLocked("one more", "key"); room {
		t.Error("there is room for a delivered item of another file")
	}
	if _, room := x.addDeliveredLocked("7", "another key"); !room {
		t.Error("there is no room for another item of a file that is known")
	}
	x.forgetLocked("7")
	x.addFailureLocked(attempt{name: "one more", key: "key"})
	x.addFailureLocked(attempt{name: "one too many", key: "key"})
	if x.attemptsLocked("one more", "key").Count != 1 || x.attemptsLocked("one too many", "key").Count != 0 {
		t.Error("failures are not remembered for exactly as many files as there is room for")
	}
}

// While the index is full nothing is deferred: payloads that it cannot remember must not come
// before those that it knows for ever.
func TestAFullIndexForgetsFurtherFailuresAndDefersNothing(t *testing.T) {
	x := &Index{maxDeferred: 3}
	for n := range 5 {
		x.addFailureLocked(attempt{name: fmt.Sprint(n), items: 1, key: "key"})
	}
	f := newFileLocked(&spool.Payload{Entry: spool.Entry{Name: "0"}, Items: []spool.Item{{Key: "key", NextEqual: -1}}}, choice{}, x)
	if x.Deferred() != 3 || x.deferredAfterLocked("0") != 0 || f.attempts[0] != 0 {
		t.Errorf("it remembers %d of 3 items and defers them", x.Deferred())
	}
	if counted := x.addFailureLocked(attempt{name: "0", items: 1, key: "key", blamed: true}); counted != 1 || x.attemptsLocked("0", "key").Count != 2 {
		t.Error("it does not count on for an item that it knows")
	}
	x.forgetLocked("1")
	if x.deferredAfterLocked("0") != 2 {
		t.Error("it defers nothing although there is room again")
	}
}

func TestDeliveredItemsAreSavedAsASortedList(t *testing.T) {
	x := &Index{path: filepath.Join(t.TempDir(), "x.index")}
	for _, key := range []string{"c", "a", "b", "a"} {
		x.addDeliveredLocked("x.json", key)
	}
	if err := x.Save(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(x.path)
	if err != nil || !strings.Contains(string(text), `"x.json":{"delivered":["a","b","c"]}`) {
		t.Errorf("the index is %s, %v", text, err)
	}
}

// An array file of a hundred thousand items that cannot be removed is asked about as often; a
// search through a list each time took minutes.
func TestAHundredThousandDeliveredItemsOfOneFileAreFoundFast(t *testing.T) {
	x := &Index{}
	for n := range maxIndexDelivered {
		x.addDeliveredLocked("x.json", fmt.Sprint(n))
	}
	for n := range maxIndexDelivered {
		if !x.isDeliveredLocked("x.json", fmt.Sprint(n)) {
			t.Fatalf("item %d is not known as delivered", n)
		}
	}
}
