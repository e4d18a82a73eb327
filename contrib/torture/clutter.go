//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// clutter is something in a spool or state directory that no producer put
// there, and what must come of it.
type clutter struct {
	name  string
	build func(w *world)
	code  int                  // the run's exit code
	says  string               // on stderr; "" is nothing at all
	after func(w *world) error // nil: nothing else
	stays int                  // items that this keeps in the spool
	sends int                  // requests; default the good payload's one
	root  bool                 // only root can make it
	user  bool                 // only keeps others than root out
}

// clutters is the table. A good payload lies beside each of them.
func clutters() []clutter {
	return []clutter{
		{name: "symbolic links", says: "symbolic link", build: func(w *world) {
			w.link(w.outside("secret.json"), "to-outside.json")
			w.link("good.json", "to-inside.json")
			w.link("nowhere.json", "dangling.json")
			w.link("loop.json", "loop.json")
			w.link(".", "here.json")
		}, after: func(w *world) error { return w.holds("outside/secret.json", "secret") }},
		{name: "FIFO, socket, directory", says: "skipped", build: func(w *world) {
			w.must(unix.Mkfifo(filepath.Join(w.spool, "fifo.json"), 0o600))
			w.must(os.Mkdir(filepath.Join(w.spool, "directory.json"), 0o700))
			w.must(os.Mkdir(filepath.Join(w.spool, "full.json"), 0o700))
			w.must(os.WriteFile(filepath.Join(w.spool, "full.json", "inside.json"), []byte("{}"), 0o600))
			w.socket("socket.json")
		}},
		{name: "devices", root: true, says: "skipped", build: func(w *world) {
			w.must(unix.Mknod(filepath.Join(w.spool, "null.json"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
			w.must(unix.Mknod(filepath.Join(w.spool, "zero.json"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 5))))
			w.must(unix.Mknod(filepath.Join(w.spool, "loop.json"), unix.S_IFBLK|0o666, int(unix.Mkdev(7, 0))))
		}},
		{name: "hard links", sends: 3, build: func(w *world) {
			w.object("one.json", does(2, "200"))
			w.books.enter(true, does(2, "200"))
			w.must(os.Link(filepath.Join(w.spool, "one.json"), filepath.Join(w.spool, "two.json")))
			w.must(os.MkdirAll(filepath.Join(w.dir, "outside"), 0o755))
			w.must(os.Link(filepath.Join(w.spool, "one.json"), filepath.Join(w.dir, "outside", "kept")))
		}, after: func(w *world) error { return w.holds("outside/kept", does(2, "200")) }},
		{name: "names", sends: 1 + len(oddNames()), build: func(w *world) {
			for i, name := range oddNames() {
				w.object(name, does(10+i, "200"))
			}
		}},
		{name: "names, rejected", code: 65, says: "rejected", sends: 1 + len(oddNames()), build: func(w *world) {
			for i, name := range oddNames() {
				w.object(name, does(10+i, "400"))
			}
		}, after: retryAll},
		{name: "items of odd names, rejected", code: 65, says: "rejected", sends: 1 + 2*(len(oddNames())-1), build: func(w *world) {
			for i, name := range oddNames()[1:] {
				w.array(name, does(10+2*i, "400"), does(11+2*i, "200"))
			}
		}, after: retryAll},
		{name: "unreadable", user: true, code: 77, says: "permission denied", stays: 1, build: func(w *world) {
			w.object("secret.json", does(2, "200"))
			w.must(os.Chmod(filepath.Join(w.spool, "secret.json"), 0))
		}, after: func(w *world) error { return os.Chmod(filepath.Join(w.spool, "secret.json"), 0o600) }},
		{name: "rejected is a link", code: 78, says: "rejected", sends: 2, stays: 1, build: func(w *world) {
			w.outside("secret.json")
			w.link(filepath.Join(w.dir, "outside"), "rejected")
			w.object("bad.json", does(2, "400"))
		}, after: func(w *world) error {
			if left, _ := filepath.Glob(filepath.Join(w.dir, "outside", "*")); len(left) != 1 {
				return fmt.Errorf("something was written through the link: %v", left)
			}
			return nil
		}},
		{name: "rejected is a file", code: 78, says: "rejected", sends: 2, stays: 1, build: func(w *world) {
			w.must(os.WriteFile(filepath.Join(w.spool, "rejected"), []byte("mine"), 0o600))
			w.object("bad.json", does(2, "400"))
		}, after: func(w *world) error { return w.holds("spool/rejected", "mine") }},
		{name: "lock is a link", code: 78, says: "symbolic link", sends: -1, stays: 1, build: func(w *world) {
			w.stateLink(w.outside("secret"), "central_listener.lock")
		}, after: func(w *world) error {
			os.Remove(filepath.Join(w.state, "central_listener.lock"))
			return w.holds("outside/secret", "secret")
		}},
		{name: "lock is a FIFO", code: 78, says: "no regular file", sends: -1, stays: 1, build: func(w *world) {
			w.must(os.MkdirAll(w.state, 0o755))
			w.must(unix.Mkfifo(filepath.Join(w.state, "central_listener.lock"), 0o666))
		}, after: func(w *world) error { return os.Remove(filepath.Join(w.state, "central_listener.lock")) }},
		{name: "state is a link", says: "symbolic link", build: func(w *world) {
			w.stateLink(w.outside("secret"), "central_listener.state")
			w.stateLink(w.outside("other"), "central_listener.index")
		}, after: func(w *world) error { return w.holds("outside/secret", "secret") }},
		{name: "state is a FIFO", says: "FIFO", build: func(w *world) {
			w.must(os.MkdirAll(w.state, 0o755))
			w.must(unix.Mkfifo(filepath.Join(w.state, "central_listener.state"), 0o666))
			w.must(unix.Mkfifo(filepath.Join(w.state, "central_listener.index"), 0o666))
		}},
		{name: "state is a directory", says: "directory", build: func(w *world) {
			w.must(os.MkdirAll(filepath.Join(w.state, "central_listener.state", "full"), 0o755))
		}},
	}
}

// oddNames are names that file systems take and that terminals, JSON and shells
// do not like.
func oddNames() []string {
	return []string{
		"x.key-0123456789abcdef0123456789abcdef.json", // an item cut out of an array, and so never an array of items
		strings.Repeat("n", 250) + ".json",
		strings.Repeat("ü", 125) + ".json",
		"new\nline.json",
		"escape\x1b[31m\x1b]0;owned\x07.json",
		"not\xff\xfeutf8.json",
		"-rf.json",
		"a b'c\"d\\e$(f)`g`.json",
		"right\u202eto left.json",
		"x.reason.json",
	}
}

// outside makes a file beside the spool that nobody may touch.
func (w *world) outside(name string) string {
	dir := filepath.Join(w.dir, "outside")
	w.must(os.MkdirAll(dir, 0o755))
	path := filepath.Join(dir, name)
	w.must(os.WriteFile(path, []byte("secret"), 0o666))
	w.must(os.Chmod(path, 0o666))
	return path
}

func (w *world) link(target, name string) {
	w.must(os.Symlink(target, filepath.Join(w.spool, name)))
}

func (w *world) stateLink(target, name string) {
	w.must(os.MkdirAll(w.state, 0o755))
	w.must(os.Symlink(target, filepath.Join(w.state, name)))
}

// socket leaves a socket behind. Its path goes through /proc: a socket's address
// has no more than 107 bytes.
func (w *world) socket(name string) {
	dir, err := os.Open(w.spool)
	w.must(err)
	defer dir.Close()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), name)})
	w.must(err)
	l.SetUnlinkOnClose(false)
	w.must(l.Close())
}

// holds checks that a file is what it was.
func (w *world) holds(name, want string) error {
	data, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil || string(data) != want {
		return fmt.Errorf("%s was touched: %q, %v", name, data, err)
	}
	return nil
}

// retryAll lists what was rejected and puts it back: under whatever name, with
// nothing raw on the terminal.
func retryAll(w *world) error {
	for _, args := range [][]string{{"list"}, {"retry", "--all"}} {
		o, err := w.spoolfwd("rejected", args...).run()
		if err != nil {
			return err
		}
		if raw := rawIn(o.stdout + o.stderr); raw != "" {
			return fmt.Errorf("rejected %s writes %s as it is", args[0], raw)
		}
		if o.code != 0 {
			return fmt.Errorf("rejected %s: %s", args[0], o.tell())
		}
	}
	if left := w.find("spool/rejected/*"); len(left) > 0 {
		return fmt.Errorf("still rejected: %q", left)
	}
	return nil
}

// nobody is a user without any rights.
func nobody() *syscall.Credential { return &syscall.Credential{Uid: 65534, Gid: 65534} }
