//go:build linux && (amd64 || arm64)

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// mutation is what another program does to a payload file while a run works on it. do returns what
// the file holds afterwards; "" stands for no file.
type mutation struct {
	name string
	do   func(e *env, path, old string) string
}

func mutations() []mutation {
	return []mutation{
		{"grows", func(e *env, path, old string) string {
			e.overwrite(path, os.O_APPEND, "more")
			return old + "more"
		}},
		{"shrinks", func(e *env, path, old string) string {
			e.must(os.Truncate(path, int64(len(old)/2)))
			return old[:len(old)/2]
		}},
		{"vanishes", func(e *env, path, old string) string {
			e.must(os.Remove(path))
			return ""
		}},
		{"is replaced", func(e *env, path, old string) string {
			text := `{"replaced":"` + filepath.Base(path) + `"}`
			e.must(os.WriteFile(path+".new", []byte(text), 0o600))
			e.must(os.Rename(path+".new", path))
			return text
		}},
		// A file when it is scanned, and something else when it is opened.
		{"becomes a link", func(e *env, path, old string) string {
			target := filepath.Join(e.dir, "outside.json")
			e.must(os.WriteFile(target, []byte(`{"secret":1}`), 0o600))
			e.must(os.Remove(path))
			e.must(os.Symlink(target, path))
			return ""
		}},
		{"becomes a FIFO", func(e *env, path, old string) string {
			e.must(os.Remove(path))
			e.must(unix.Mkfifo(path, 0o600))
			return ""
		}},
		// The hardest to see: the inode, the size and the modification time stay the same.
		{"is overwritten", func(e *env, path, old string) string {
			info, err := os.Stat(path)
			e.must(err)
			text := strings.ReplaceAll(old, `"n":`, `"m":`)
			e.overwrite(path, 0, text)
			e.must(os.Chtimes(path, info.ModTime(), info.ModTime()))
			return text
		}},
	}
}

func (e *env) overwrite(path string, flag int, text string) {
	f, err := os.OpenFile(path, os.O_WRONLY|flag, 0)
	e.must(err)
	defer f.Close()
	_, err = f.WriteString(text)
	e.must(err)
}

// mutateMatrix changes each payload file in each way before each system call that a run makes in
// the spool. The file's old content may be gone, since its producer took it away; its new content
// must not be lost. There is one file for each end that a file has: delivered, rewritten, rejected
// whole.
func mutateMatrix(t *torture, r *result) {
	l := workload{name: "mutate", flags: []string{"--failure-threshold", "50"}, build: func(e *env) {
		e.object("a.json", item(1, "200"))
		e.array("b.json", item(2, "200"), item(3, "500"), item(4, "400"), item(5, "200"))
		e.object("c.json", item(6, "400"))
	}}
	points := 0
	t.play(l, func(_ *env, c *call) action {
		if c.inSpool() {
			points++
		}
		return action{}
	}, nil)
	files := []string{"a.json", "b.json", "c.json"}
	kinds := mutations()
	var windows atomic.Int64
	t.each(r, points*len(files)*len(kinds), func(i int) {
		m, file, at := kinds[i%len(kinds)], files[i/len(kinds)%len(files)], i/len(kinds)/len(files)
		if t.mutateRound(l, r, m, file, at) {
			windows.Add(1)
		}
	})
	r.notef("%d rounds are left out: a change between the last look at a file and its rename or removal cannot be seen with Unix file names", windows.Load())
}

func (c *call) inSpool() bool {
	return !c.standard() && !c.socket() && strings.HasPrefix(c.target, "spool")
}

// mutateRound changes a file before the call with number at. It reports whether the change would
// have come in the window that is documented.
func (t *torture) mutateRound(l workload, r *result, m mutation, file string, at int) (window bool) {
	n, changed := 0, false
	label := fmt.Sprintf("%s %s", file, m.name)
	t.play(l, func(e *env, c *call) action {
		if !c.inSpool() {
			return action{}
		}
		n++
		if n != at+1 {
			return action{}
		}
		path := filepath.Join(e.spool, file)
		label += " before " + c.String()
		removes := c.name == "unlinkat" || c.name == "renameat" || c.name == "renameat2"
		if window = removes && (c.path == path || c.to == path); window {
			return action{}
		}
		if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
			return action{}
		}
		if old, err := os.ReadFile(path); err == nil {
			now := m.do(e, path, string(old))
			e.spooled.mayBeGone(e.split(&inventory{}, file, string(old))...)
			if now != "" {
				e.spooled.add(true, itemsOf(now)...)
			}
			changed = true
		}
		return action{}
	}, func(e *env, _ inventory, o outcome) {
		if !changed {
			return
		}
		r.round(1)
		r.checkOutcome(label, o)
		// A file that was sent as it was, and then left because it changed, may hold an item that
		// goes out twice, under its one key.
		allowed := e.spooled.inFlight(1)
		r.checkInventory(label+": then", e.takeInventory(), allowed)
		e.finish(r, label, allowed)
	})
	return window
}

// itemsOf are the items of a file with this content: the elements of an array, otherwise the whole.
func itemsOf(content string) (bodies []string) {
	var elements []json.RawMessage
	if json.Unmarshal([]byte(content), &elements) != nil {
		return []string{content}
	}
	for _, element := range elements {
		bodies = append(bodies, string(element))
	}
	return bodies
}
