//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sys/unix"
)

// streamCrash kills a run that publishes into a stream before each of its system calls that change
// something. However often an item is published again, the stream holds it once.
func streamCrash(t *torture, r *result) {
	s, err := t.newStream(t.temp)
	if err != nil {
		r.skipf("%v", err)
		return
	}
	defer s.stop()
	kills := t.crashWorkload(s.workload(), r)
	r.verbosef("killed at %d points", kills)
}

// streamFault lets the system calls of such a run fail.
func streamFault(t *torture, r *result) {
	s, err := t.newStream(t.temp)
	if err != nil {
		r.skipf("%v", err)
		return
	}
	defer s.stop()
	t.eachFault(t.faultsOf(s.workload(), r), r)
}

// stream is a server of NATS, with a stream that takes the items of all environments, each on a
// subject of its own.
type stream struct {
	program string
	address string
	config  string
	process *exec.Cmd
	conn    *nats.Conn
	held    jetstream.Stream
}

// newStream builds the server that contrib/nats names, and starts it on a directory.
func (t *torture) newStream(dir string) (*stream, error) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	s := &stream{program: filepath.Join(t.disk, "nats-server"), config: filepath.Join(t.disk, "nats-server.conf")}
	build := exec.Command("go", "build", "-o", s.program, "github.com/nats-io/nats-server/v2")
	build.Dir = filepath.Join(strings.TrimSpace(string(root)), "contrib", "nats")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("nats-server cannot be built: %w: %s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.address = l.Addr().String()
	l.Close()
	config := fmt.Sprintf("listen: %s\njetstream { store_dir: %q, sync_interval: always }\n", s.address, filepath.Join(dir, "nats"))
	if err := os.WriteFile(s.config, []byte(config), 0o644); err != nil {
		return nil, err
	}
	return s, s.start()
}

// start starts the server and waits for the stream, which it makes if it is not there.
func (s *stream) start() error {
	s.process = exec.Command(s.program, "-c", s.config)
	s.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := s.process.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), processLimit)
	defer cancel()
	var err error
	if s.conn, err = nats.Connect(s.address, nats.RetryOnFailedConnect(true), nats.ReconnectWait(10*time.Millisecond), nats.MaxReconnects(-1)); err != nil {
		return err
	}
	js, err := jetstream.New(s.conn)
	if err != nil {
		return err
	}
	s.held, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: "items", Subjects: []string{"items.>"}, Duplicates: time.Hour})
	if err != nil {
		return fmt.Errorf("the stream: %w", err)
	}
	return nil
}

// stop kills the server.
func (s *stream) stop() {
	s.conn.Close()
	s.process.Process.Kill()
	s.process.Wait()
}

// listen makes the stream the listener of an environment, which is a host of its own: with one
// identity for all of them, the stream would know the keys of the others.
func (s *stream) listen(e *env) {
	subject := "items." + e.name
	e.hostID = e.name
	e.url = "nats://" + s.address + "/" + subject
	e.endpoint.stored = func() []delivery { return s.deliveries(e, subject) }
}

// deliveries are the messages on a subject.
func (s *stream) deliveries(e *env, subject string) (all []delivery) {
	ctx, cancel := context.WithTimeout(context.Background(), processLimit)
	defer cancel()
	for next := uint64(1); ; {
		m, err := s.held.GetMsg(ctx, next, jetstream.WithGetMsgSubject(subject))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return all
		}
		e.must(err)
		all = append(all, delivery{body: string(m.Data), key: m.Header.Get(jetstream.MsgIDHeader), status: 200, at: m.Time})
		next = m.Sequence + 1
	}
}

// workload has items that the stream takes, two of which are equal.
func (s *stream) workload() workload {
	return workload{name: "stream", once: true, build: func(e *env) {
		s.listen(e)
		e.object("a.json", item(1, "200"))
		e.array("b.json", item(2, "200"), item(3, "200"), item(4, "200"))
		e.array("c.json", item(6, "200"), item(6, "200"), item(7, "200"))
	}}
}
