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
	t.withStream(r, func(s *stream) {
		r.verbosef("killed at %d points", t.crashWorkload(s.workload(), r))
	})
}

// streamFault lets the system calls of such a run fail.
func streamFault(t *torture, r *result) {
	t.withStream(r, func(s *stream) { t.eachFault(t.faultsOf(s.workload(), r), r) })
}

// withStream does something with a stream on one server.
func (t *torture) withStream(r *result, do func(s *stream)) {
	s, err := t.newStream("always", filepath.Join(t.temp, "nats"))
	if err == nil {
		defer s.stop()
		err = s.start()
	}
	if err != nil {
		r.skipf("%v", err)
		return
	}
	do(s)
}

// stream is one that takes the items of all environments, each on a subject of its own. It is on
// one server of NATS, or on three.
type stream struct {
	program   string
	addresses []string
	configs   []string
	processes []*exec.Cmd
	conn      *nats.Conn
	held      jetstream.Stream
	made      bool
}

// newStream builds the server that contrib/nats names, for a stream on these directories.
func (t *torture) newStream(sync string, dirs ...string) (*stream, error) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	s := &stream{program: filepath.Join(t.disk, "nats-server")}
	build := exec.Command("go", "build", "-o", s.program, "github.com/nats-io/nats-server/v2")
	build.Dir = filepath.Join(strings.TrimSpace(string(root)), "contrib", "nats")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("nats-server cannot be built: %w: %s", err, out)
	}
	addresses, err := freeAddresses(2 * len(dirs))
	if err != nil {
		return nil, err
	}
	s.addresses = addresses[:len(dirs)]
	routes := "nats-route://" + strings.Join(addresses[len(dirs):], ", nats-route://")
	for i, dir := range dirs {
		text := fmt.Sprintf("server_name: nats%d\nlisten: %s\njetstream { store_dir: %q, sync_interval: %s }\n", i, addresses[i], dir, sync)
		if len(dirs) > 1 {
			text += fmt.Sprintf("cluster { name: items, listen: %s, routes: [%s] }\n", addresses[len(dirs)+i], routes)
		}
		config := filepath.Join(t.disk, fmt.Sprintf("nats%d.conf", i))
		if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
			return nil, err
		}
		s.configs = append(s.configs, config)
	}
	return s, nil
}

// freeAddresses finds addresses on which nobody listens.
func freeAddresses(n int) (all []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		all = append(all, l.Addr().String())
	}
	return all, nil
}

// start starts the servers, makes the stream the first time, and waits until it takes messages.
func (s *stream) start() error {
	for _, config := range s.configs {
		p := exec.Command(s.program, "-c", config)
		p.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
		if err := p.Start(); err != nil {
			return err
		}
		s.processes = append(s.processes, p)
	}
	var err error
	if s.conn, err = nats.Connect(strings.Join(s.addresses, ","), nats.RetryOnFailedConnect(true), nats.ReconnectWait(10*time.Millisecond), nats.MaxReconnects(-1)); err != nil {
		return err
	}
	js, err := jetstream.New(s.conn)
	if err != nil {
		return err
	}
	config := jetstream.StreamConfig{Name: "items", Subjects: []string{"items.>"}, Duplicates: time.Hour, Replicas: len(s.configs)}
	for end := time.Now().Add(processLimit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		if s.held, err = js.Stream(ctx, "items"); errors.Is(err, jetstream.ErrStreamNotFound) && !s.made {
			s.held, err = js.CreateStream(ctx, config)
		}
		if err == nil {
			s.made = true
			_, err = js.Publish(ctx, "items.probe", nil) // what came before it can be read now
		}
		cancel()
		if err == nil {
			return nil
		}
	}
	return fmt.Errorf("the stream takes nothing within %v: %w", processLimit, err)
}

// stop kills the servers.
func (s *stream) stop() {
	if s.conn != nil {
		s.conn.Close()
	}
	for _, p := range s.processes {
		p.Process.Kill()
	}
	for _, p := range s.processes {
		p.Wait()
	}
	s.processes = nil
}

// listen makes the stream the listener of an environment, which is a host of its own: with one
// identity for all of them, the stream would know the keys of the others.
func (s *stream) listen(e *env) {
	subject := "items." + e.name
	e.hostID = e.name
	e.url = "nats://" + strings.Join(s.addresses, ",") + "/" + subject
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
