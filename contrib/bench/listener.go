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
		return nil, fmt.Errorf("starting fakelistener: %w", err)
	}
	l.url = strings.TrimSpace(line)
	u, err := url.Parse(l.url)
	if err != nil {
		return nil, fmt.Errorf("the address of fakelistener: %w", err)
	}
	l.control = "http://" + u.Host + "/_control/"
	return l, nil
}

func (l *listener) stop() {
	l.cmd.Process.Kill()
	l.cmd.Wait()
}

func (l *listener) reset() error {
	answer, err := http.Post(l.control+"reset", "", nil)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// expect returns an error unless the listener received so many items since its reset, each once.
func (l *listener) expect(items int) error {
	answer, err := http.Get(l.control + "stats")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var c struct {
		Delivered      int `json:"delivered"`
		Items          int `json:"items"`
		DistinctBodies int `json:"distinct_bodies"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&c); err != nil {
		return err
	}
	if c.Items != items || c.DistinctBodies != c.Delivered {
		return fmt.Errorf("the listener received %d items instead of %d, in %d requests, %d of them different",
			c.Items, items, c.Delivered, c.DistinctBodies)
	}
	return nil
}
