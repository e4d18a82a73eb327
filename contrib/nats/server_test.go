package nats_test

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// serverConfig names the configuration with which the test binary becomes a server.
const serverConfig = "SPOOLFWD_TEST_NATS_SERVER"

// A server is a process, so that it can be killed. It is this binary, so that nothing has to be
// installed.
func TestMain(m *testing.M) {
	if config := os.Getenv(serverConfig); config != "" {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends, however it does
			os.Exit(1)
		}()
		fmt.Fprintln(os.Stderr, serve(config))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// serve is a server, until it is told to end. It returns only an error.
func serve(config string) error {
	options, err := server.ProcessConfigFile(config)
	if err != nil {
		return err
	}
	s, err := server.NewServer(options)
	if err != nil {
		return err
	}
	s.ConfigureLogger()
	if err := server.Run(s); err != nil {
		return err
	}
	s.WaitForShutdown()
	os.Exit(0)
	return nil
}

// node is one of the servers.
type node struct {
	t       testing.TB
	name    string
	dir     string
	address string
	program string // "": the test binary
	config  string
	process *exec.Cmd // nil: it does not run
	stdin   io.Closer
	said    bytes.Buffer
}

func (n *node) start() {
	n.t.Helper()
	n.process = exec.Command(cmp.Or(n.program, os.Args[0]), "-c", n.config)
	n.process.Env = append(os.Environ(), serverConfig+"="+n.config)
	n.process.Stdout, n.process.Stderr = &n.said, &n.said
	var err error
	if n.stdin, err = n.process.StdinPipe(); err == nil {
		err = n.process.Start()
	}
	if err != nil {
		n.t.Fatal(err)
	}
}

// stop ends the server with a signal and waits for its end.
func (n *node) stop(signal os.Signal) {
	n.t.Helper()
	n.signal(signal)
	n.wait()
}

func (n *node) signal(signal os.Signal) {
	n.t.Helper()
	if err := n.process.Process.Signal(signal); err != nil {
		n.t.Error(err)
	}
}

func (n *node) wait() {
	_ = n.process.Wait()
	n.process = nil
}

// report ends the server and shows what it said, if the test has failed.
func (n *node) report() {
	if n.process != nil {
		n.stop(os.Kill)
	}
	if n.t.Failed() {
		said := n.said.String()
		n.t.Logf("the end of what %s said:\n%s", n.name, said[max(0, len(said)-4000):])
	}
}
