//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"
)

// call is a system call that the process under test is about to make.
type call struct {
	name   string
	path   string // absolute, or as in "socket:[42]"; "" = none
	to     string // the second path of a rename or link
	target string // the path below the environment, without its random parts
	fd     int    // -1: it is about a path
	below  bool   // the path is given below an open directory
}

func (c *call) String() string { return c.name + " " + c.target }

// standard reports whether the call is about standard input, output or error.
func (c *call) standard() bool { return c.fd >= 0 && c.fd <= 2 }

func (c *call) socket() bool {
	return strings.HasPrefix(c.path, "socket:") || c.name == "socket"
}

// inside reports whether the call is about a file below dir.
func (c *call) inside(dir string) bool {
	return c.path == dir || strings.HasPrefix(c.path, dir+"/")
}

// alters reports whether the call makes, moves or removes a name.
func (c *call) alters() bool {
	switch c.name {
	case "unlinkat", "mkdirat", "renameat", "renameat2", "linkat":
		return true
	}
	return false
}

// describe finds out what a call is about, from the kernel and from the memory of the process,
// whose thread waits meanwhile.
func describe(info syscallInfo, n *notification, root string) *call {
	c := &call{name: info.name, fd: -1}
	if info.fd >= 0 {
		c.fd = int(int32(n.args[info.fd]))
		c.path, _ = os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", n.tid, c.fd))
	}
	if info.path >= 0 {
		c.path = pathAt(n, info.path)
		c.below = int32(n.args[info.path-1]) != unix.AT_FDCWD
	}
	if info.to >= 0 {
		c.to = pathAt(n, info.to)
	}
	c.target = normalized(c.path, root)
	if c.to != "" {
		c.target += " to " + normalized(c.to, root)
	}
	return c
}

// pathAt reads a path argument and makes it absolute by the directory argument before it.
func pathAt(n *notification, argument int) string {
	path := stringAt(int(n.tid), uintptr(n.args[argument]))
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	link := fmt.Sprintf("/proc/%d/cwd", n.tid)
	if dir := int32(n.args[argument-1]); dir != unix.AT_FDCWD {
		link = fmt.Sprintf("/proc/%d/fd/%d", n.tid, dir)
	}
	dir, _ := os.Readlink(link)
	return filepath.Join(dir, path)
}

// stringAt reads a string of the process, page by page: the page behind the string may not exist.
func stringAt(tid int, address uintptr) string {
	const page = 4096
	var text []byte
	for len(text) < unix.PathMax {
		part := make([]byte, page-address%page)
		local := []unix.Iovec{{Base: &part[0]}}
		local[0].SetLen(len(part))
		remote := []unix.RemoteIovec{{Base: address, Len: len(part)}}
		n, err := unix.ProcessVMReadv(tid, local, remote, 0)
		if err != nil || n == 0 {
			return string(text)
		}
		if end := bytes.IndexByte(part[:n], 0); end >= 0 {
			return string(append(text, part[:end]...))
		}
		text = append(text, part[:n]...)
		address += uintptr(n)
	}
	return string(text)
}

// normalized makes paths equal that mean the same thing in every run: it removes the environment's
// directory and all random or timed parts.
func normalized(path, root string) string {
	if rest, ok := strings.CutPrefix(path, root+"/"); ok {
		path = rest
	} else if path == root {
		path = "."
	}
	for _, r := range randomParts {
		path = r.pattern.ReplaceAllString(path, r.with)
	}
	return path
}

var randomParts = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`\.(spoolfwd|spoolput)-[0-9a-f]{16}\.tmp`), ".$1-*.tmp"},
	{regexp.MustCompile(`\.(state|index|lastrun)\d+$`), ".$1*"},
	{regexp.MustCompile(`put_[0-9TZ.]+_[0-9a-f]{8}`), "put_*"},
	{regexp.MustCompile(`^(socket|pipe):.*`), "$1"},
	{regexp.MustCompile(`/proc/\d+/`), "/proc/*/"},
}
