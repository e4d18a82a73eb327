//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// listener is a fakelistener process.
type listener struct {
	url     string
	control string
	cmd     *exec.Cmd
}

// startListener starts fakelistener on a free port of the loopback interface.
func (b *bench) startListener(args ...string) (*listener, error) {
	l := &listener{cmd: exec.Command(b.program("fakelistener"), append([]string{"--listen", "127.0.0.1:0"}, args...)...)}
	l.cmd.Stderr = os.Stderr
	l.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := l.cmd.Start(); err != nil {
		return nil, err
	}
	b.onExit(l.stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the listener does not start: %w", err)
	}
	l.url = strings.TrimSpace(line)
	u, err := url.Parse(l.url)
	if err != nil {
		return nil, fmt.Errorf("the listener's address: %w", err)
	}
	l.control = "http://" + u.Host + "/_control/"
	return l, nil
}

func (l *listener) pid() int { return l.cmd.Process.Pid }

func (l *listener) stop() {
	l.cmd.Process.Kill()
	l.cmd.Wait()
}

// counts are those of fakelistener that tell whether a contender did its work.
type counts struct {
	Delivered      int `json:"delivered"`
	Items          int `json:"items"`
	DistinctBodies int `json:"distinct_bodies"`
	Connections    int `json:"connections"`
}

func (l *listener) counts() (c counts, err error) {
	answer, err := http.Get(l.control + "stats")
	if err != nil {
		return c, err
	}
	defer answer.Body.Close()
	return c, json.NewDecoder(answer.Body).Decode(&c)
}

func (l *listener) reset() error {
	answer, err := http.Post(l.control+"reset", "", nil)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// expect returns an error unless the listener took so many items in so many
// requests since it was reset.
func (l *listener) expect(items, requests int) error {
	c, err := l.counts()
	if err != nil {
		return err
	}
	if c.Items != items || c.DistinctBodies != c.Delivered || requests > 0 && c.Delivered != requests {
		return fmt.Errorf("the listener took %d items in %d requests, %d of them different, instead of %d items",
			c.Items, c.Delivered, c.DistinctBodies, items)
	}
	return nil
}
