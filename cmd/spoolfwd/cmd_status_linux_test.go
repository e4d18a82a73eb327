package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// An appender that never closes its file holds it up for ever. Each line makes the file young.
func TestAFileThatIsWrittenForLongWarns(t *testing.T) {
	w := newWorld(t)
	w.now = time.Now().Add(3 * time.Hour) // the file is made now, and its last change is of then
	w.put("log.json", "{}")
	f, err := os.OpenFile(filepath.Join(w.spool, "log.json"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	wantText(t, "the text", w.do("status").wantCode(t, exit.OK).stdout, "1 payload file, the oldest is log.json, 3h00m")
	wantText(t, "the JSON", w.do("status", "--json").wantCode(t, exit.OK).stdout, `"unfinished_age": 10`)
	r := w.do("status", "--check").wantCode(t, exit.Code(pluginWarning))
	wantText(t, "the check", r.stdout, "WARNING - log.json is still being written after 3h00m |")
	w.do("status", "--check", "--warning-age", "4h", "--critical-age", "5h").wantCode(t, exit.OK)
	w.do("status", "--check", "--warning-age", "0").wantCode(t, exit.OK)
}
