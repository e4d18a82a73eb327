//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// mutation is what another program does to a payload file behind the back of a
// run. It returns what the file holds afterwards; "" is no file.
type mutation struct {
	name string
	do   func(w *world, path, old string) string
}

func mutations() []mutation {
	return []mutation{
		{"grows", func(w *world, path, old string) string {
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
			w.must(err)
			defer f.Close()
			_, err = f.WriteString("more")
			w.must(err)
			return old + "more"
		}},
		{"shrinks", func(w *world, path, old string) string {
			w.must(os.Truncate(path, int64(len(old)/2)))
			return old[:len(old)/2]
		}},
		{"vanishes", func(w *world, path, old string) string {
			w.must(os.Remove(path))
			return ""
		}},
		{"is replaced", func(w *world, path, old string) string {
			text := `{"replaced":"` + filepath.Base(path) + `"}`
			w.must(os.WriteFile(path+".new", []byte(text), 0o600))
			w.must(os.Rename(path+".new", path))
			return text
		}},
		// Found as a file by the scan, and then opened as something else.
		{"becomes a link", func(w *world, path, old string) string {
			target := filepath.Join(w.dir, "outside.json")
			w.must(os.WriteFile(target, []byte(`{"secret":1}`), 0o600))
			w.must(os.Remove(path))
			w.must(os.Symlink(target, path))
			return ""
		}},
		{"becomes a FIFO", func(w *world, path, old string) string {
			w.must(os.Remove(path))
			w.must(unix.Mkfifo(path, 0o600))
			return ""
		}},
		// The hardest to see: same inode, same size, and its old modification
		// time given back.
		{"is overwritten", func(w *world, path, old string) string {
			info, err := os.Stat(path)
			w.must(err)
			text := strings.ReplaceAll(old, `"n":`, `"m":`)
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			w.must(err)
			defer f.Close()
			_, err = f.WriteString(text)
			w.must(err)
			w.must(os.Chtimes(path, info.ModTime(), info.ModTime()))
			return text
		}},
	}
}

// mutateStory has a file for each thing that can become of one: delivered,
// rewritten, rejected whole.
func mutateStory() story {
	return story{name: "mutate", flags: []string{"--failure-threshold", "50"}, build: func(w *world) {
		w.object("a.json", does(1, "200"))
		w.array("b.json", does(2, "200"), does(3, "500"), does(4, "400"), does(5, "200"))
		w.object("c.json", does(6, "400"))
	}}
}

// mutateMatrix changes each payload file in each way before each system call
// that a run makes in the spool: between any two of them. What a file held may
// be gone afterwards, since its producer took it away; what it holds now must
// not be.
func mutateMatrix(t *torture, r *result) {
	points := 0
	t.storyRound(mutateStory(), func(c *call, _ point) verdict {
		if strings.HasPrefix(c.object, "spool") {
			points++
		}
		return verdict{}
	}, nil)
	files := []string{"a.json", "b.json", "c.json"}
	kinds := mutations()
	var windows atomic.Int64
	t.each(r, points*len(files)*len(kinds), func(i int) {
		m, file, at := kinds[i%len(kinds)], files[i/len(kinds)%len(files)], i/len(kinds)/len(files)
		if t.mutateRound(r, m, file, at) {
			windows.Add(1)
		}
	})
	r.note("%d rounds are left out: between the last look at a file and the rename or removal behind it, a change cannot be seen with Unix file names", windows.Load())
}

// mutateRound reports whether the change would have come in the window that is
// documented.
func (t *torture) mutateRound(r *result, m mutation, file string, at int) (window bool) {
	var w *world
	n, changed := 0, false
	label := fmt.Sprintf("%s %s", file, m.name)
	decide := func(c *call, _ point) verdict {
		if !strings.HasPrefix(c.object, "spool") {
			return verdict{}
		}
		n++
		if n != at+1 {
			return verdict{}
		}
		path := filepath.Join(w.spool, file)
		label += " before " + c.String()
		destroys := c.name == "unlinkat" || c.name == "renameat" || c.name == "renameat2"
		if window = destroys && (c.path == path || c.to == path); window {
			return verdict{}
		}
		if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
			return verdict{}
		}
		if old, err := os.ReadFile(path); err == nil {
			now := m.do(w, path, string(old))
			w.books.doubt(w.split(&stock{}, file, string(old))...)
			if now != "" {
				w.books.enter(true, w.itemsOf(now)...)
			}
			changed = true
		}
		return verdict{}
	}
	s := mutateStory()
	build := s.build
	s.build = func(made *world) {
		w = made
		build(made)
	}
	t.storyRound(s, decide, func(w *world, _ stock, o outcome) {
		if !changed {
			return
		}
		r.round(1)
		w.check(r, label, o)
		// Sent as it was and left because it changed, or changed back into
		// what had been sent: an item may go twice, under its one key.
		allowed := w.books.inFlight(1)
		w.checkStock(r, label+": then", w.takeStock(), allowed)
		w.goOn(r, label, allowed)
	})
	return window
}
