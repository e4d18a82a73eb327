//go:build linux

package main

import (
	"bufio"
	"crypto/tls"
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
	client  http.Client // for control
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
	l.control = u.Scheme + "://" + u.Host + "/_control/"
	l.client = http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: b.trusted}}}
	return l, nil
}

func (l *listener) stop() {
	l.cmd.Process.Kill()
	l.cmd.Wait()
	l.client.CloseIdleConnections()
}

func (l *listener) reset() error {
	answer, err := l.client.Post(l.control+"reset", "", nil)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// counts is what the listener has counted since its reset.
type counts struct {
	Delivered      int `json:"delivered"`
	Items          int `json:"items"`
	DistinctBodies int `json:"distinct_bodies"`
	Resumed        int `json:"resumed"`
}

func (l *listener) counts() (c counts, err error) {
	answer, err := l.client.Get(l.control + "stats")
	if err != nil {
		return c, err
	}
	defer answer.Body.Close()
	return c, json.NewDecoder(answer.Body).Decode(&c)
}

// expectResumed returns an error unless so many connections resumed a TLS session.
func (l *listener) expectResumed(connections int) error {
	c, err := l.counts()
	if err == nil && c.Resumed != connections {
		err = fmt.Errorf("%d connections resumed a TLS session instead of %d", c.Resumed, connections)
	}
	return err
}

// expect returns an error unless the listener received so many items since its reset, each once.
func (l *listener) expect(items int) error {
	c, err := l.counts()
	if err != nil {
		return err
	}
	if c.Items != items || c.DistinctBodies != c.Delivered {
		return fmt.Errorf("the listener received %d items instead of %d, in %d requests, %d of them different",
			c.Items, items, c.Delivered, c.DistinctBodies)
	}
	return nil
}
