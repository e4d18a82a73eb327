package main

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool"
)

// People look at the program's files with cat. Names of payload files and a listener's words can
// hold what a terminal obeys.
func TestNothingInTheProgramsOwnFilesMakesATerminalDoAnything(t *testing.T) {
	const nasty = "\u009b31m\u202edcba\u2066\x7f"
	w := newWorld(t)
	w.text = "refused: " + nasty
	w.statusOf = func(body string) int {
		switch body {
		case "400":
			return http.StatusBadRequest
		case "500":
			return http.StatusInternalServerError
		}
		return http.StatusOK
	}
	for _, body := range []string{"500", "400", "200"} {
		w.put(body+nasty+".json", body)
	}
	w.do("run").wantCode(t, exit.Rejected)
	w.do("run").wantCode(t, exit.Left) // its only request fails, which the breaker remembers
	looked := map[string]bool{}
	for _, dir := range []string{w.state, filepath.Join(w.spool, spool.RejectedDir)} {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			text, errRead := os.ReadFile(path)
			if e.IsDir() || err != nil || errRead != nil {
				return err
			}
			looked[filepath.Ext(path)] = strings.Contains(string(text), `\u202e`)
			for _, r := range string(text) {
				if r != '\n' && !strconv.IsPrint(r) {
					t.Errorf("%U stands in %q:\n%q", r, path, text)
					break
				}
			}
			if strings.HasSuffix(path, ".reason.json") {
				var reason spool.Reason
				if err := json.Unmarshal(text, &reason); err != nil || reason.File != "400"+nasty+".json" {
					t.Errorf("the reason reads %+v, %v", reason, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	for _, kind := range []string{".state", ".index", ".json"} {
		if !looked[kind] {
			t.Errorf("no file ...%s with an escaped name: %v", kind, looked)
		}
	}
}
