//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"
)

// hostileSpool plays every kind of clutter, as who runs this and, where that is
// root, as a user without rights in a world-writable, sticky spool as well.
func hostileSpool(t *torture, r *result) {
	all := clutters()
	t.each(r, len(all), func(i int) { t.clutterRound(r, all[i], false) })
	if os.Geteuid() != 0 {
		for _, c := range all {
			if c.root {
				r.note("not run: %s, which only root can make", c.name)
			}
		}
		r.note("not run: the same as an unprivileged user in a sticky spool, which only root can arrange")
		return
	}
	t.each(r, len(all), func(i int) { t.clutterRound(r, all[i], true) })
	t.strangers(r)
}

func (t *torture) clutterRound(r *result, c clutter, sticky bool) {
	root := os.Geteuid() == 0
	if c.root && !root || c.user && root && !sticky {
		return
	}
	w := t.newWorld("")
	defer w.end()
	label := "spool with clutter: " + c.name
	if sticky {
		label += ", unprivileged"
		w.stick()
	}
	w.endpoint.answers(obliging)
	c.build(w)
	w.object("good.json", does(1, "200"))
	w.own()
	o, err := w.spoolfwd("run", "--concurrency", "1", "--failure-threshold", "50").run()
	w.must(err)
	r.round(1)
	w.check(r, label, o)
	if o.code != c.code || c.says == "" && o.stderr != "" || !strings.Contains(o.stderr, c.says) {
		r.fail("%s: want exit code %d and a message with %q\n%s", label, c.code, c.says, o.tell())
	}
	if raw := rawIn(o.stderr); raw != "" {
		r.fail("%s: stderr holds %s as it is\n%s", label, raw, o.tell())
	}
	if n := max(0, max(1, c.sends)*sign(c.sends)); len(w.endpoint.deliveries()) != n {
		r.fail("%s: %d requests, want %d\n%s", label, len(w.endpoint.deliveries()), n, o.tell())
	}
	s := w.takeStock()
	w.checkStock(r, label, s, 0)
	if s.left != c.stays {
		r.fail("%s: %d items left, want %d", label, s.left, c.stays)
	}
	if c.after != nil {
		if err := c.after(w); err != nil {
			r.fail("%s: %v", label, err)
		}
	}
	w.own()
	w.goOn(r, label, 0)
}

// sign is 1 where nothing is said: a request for the good payload.
func sign(n int) int {
	if n < 0 {
		return 0
	}
	return 1
}

// stick makes the spool one of which many users are producers.
func (w *world) stick() {
	w.owner = nobody()
	w.must(os.Chmod(w.spool, 0o777|os.ModeSticky))
}

// own gives all of the world to its user, but for the directory of a sticky
// spool, which stays root's.
func (w *world) own() {
	if w.owner == nil {
		return
	}
	w.must(filepath.Walk(w.dir, func(path string, _ os.FileInfo, err error) error {
		if err != nil || path == w.spool || path == w.dir {
			return err
		}
		return os.Lchown(path, int(w.owner.Uid), int(w.owner.Gid))
	}))
	w.must(os.MkdirAll(w.state, 0o755))
	w.must(os.Lchown(w.state, int(w.owner.Uid), int(w.owner.Gid)))
}

// strangers puts other users' payloads into a sticky spool: they could not be
// removed after their delivery, so they must not be sent.
func (t *torture) strangers(r *result) {
	w := t.newWorld("")
	defer w.end()
	w.stick()
	w.own()
	w.object("good.json", does(1, "200"))
	w.must(os.WriteFile(filepath.Join(w.spool, "stranger.json"), []byte(`{"not":"ours"}`), 0o644))
	o, err := w.spoolfwd("run").run()
	w.must(err)
	r.round(1)
	w.check(r, "strangers", o)
	if !strings.Contains(o.stderr, "stranger.json") {
		r.fail("a payload file of another user is passed over in silence\n%s", o.tell())
	}
	for _, d := range w.endpoint.deliveries() {
		if d.body != does(1, "200") {
			r.fail("a payload file that cannot be removed was sent: %s", d.body)
		}
	}
	w.must(w.holds("spool/stranger.json", `{"not":"ours"}`))
	w.must(os.Remove(filepath.Join(w.spool, "stranger.json")))
	w.checkStock(r, "strangers", w.takeStock(), 0)
}

// haystack hides ten payload files among a hundred thousand entries that are
// none.
func haystack(t *torture, r *result) {
	w := t.newWorld("")
	defer w.end()
	const junk = 100_000
	for i := range junk {
		name := filepath.Join(w.spool, fmt.Sprintf("junk%06d", i))
		switch i % 4 {
		case 0:
			w.must(os.WriteFile(name+".json.tmp", nil, 0o600))
		case 1:
			w.must(os.WriteFile(filepath.Join(w.spool, fmt.Sprintf("buffer_%06d", i)), nil, 0o600))
		case 2:
			w.must(os.Symlink("nowhere", name+".json"))
		case 3:
			w.must(os.Mkdir(name+".json", 0o700))
		}
		if i%(junk/10) == 0 {
			w.object(fmt.Sprintf("needle%06d.json", i), does(i, "200"))
		}
	}
	o, err := w.spoolfwd("run").run()
	w.must(err)
	r.round(1)
	w.check(r, "haystack", o)
	if o.code != 0 || strings.Count(o.stderr, "\n") > 2 {
		r.fail("ten payload files among %d other entries: want exit code 0 and a line or two\n%s", junk, o.tell())
	}
	if o.took > 20*time.Second {
		r.fail("ten payload files among %d other entries take %v", junk, o.took)
	}
	r.note("10 payload files among %d other entries: %v", junk, o.took.Round(time.Millisecond))
	s := w.takeStock()
	w.checkStock(r, "haystack", s, 0)
	if s.left != 0 || s.delivered != 10 {
		r.fail("%d of ten payloads were delivered", s.delivered)
	}
	r.count(s)
}

// rawIn finds what a terminal would obey.
func rawIn(text string) string {
	for _, c := range text {
		if c != '\n' && (unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || c == unicode.ReplacementChar) {
			return fmt.Sprintf("%q", c)
		}
	}
	return ""
}
