//go:build linux && (amd64 || arm64)

package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// How long the product is told to wait, and how much memory it may take whatever
// it is told: the whole program, most of which is Go's runtime and the code, and
// as much again and a little for a large payload, which is sent from memory.
const (
	hostileTimeout  = 500 * time.Millisecond
	hostileRequests = 3 // payloads, and failures before the breaker opens
	hostileLimit    = hostileRequests*hostileTimeout + 1500*time.Millisecond
	hostileMemory   = 20 << 20
	largePayload    = 12 << 20
)

// behaviour is what a hostile listener does with a connection.
type behaviour struct {
	name string
	// do is called with each connection. take reads a request and records it
	// as answered with the status given.
	do    func(c net.Conn, take func(status int) error)
	tls   func(ca *authority) *tls.Config // nil: plain
	large bool                            // the one payload is larger than any socket buffer
	code  int                             // the run's exit code
	tells string                          // on stderr
	again int                             // items that may be sent again, since the answer was none
}

// hostileListener plays every behaviour against a run, and then lets a good
// listener take what is left.
func hostileListener(t *torture, r *result) {
	all := slices.Concat(behaviours(), oddAnswers(), tlsBehaviours())
	ca, err := newAuthority(t.disk)
	if err != nil {
		r.fail("no certificates: %v", err)
		return
	}
	var most atomic.Int64
	t.each(r, len(all), func(i int) {
		// On a busy machine a process may not get its turn in time: a run is too
		// slow when it is so twice.
		took := t.hostileRound(r, all[i], ca, &most)
		if took > hostileLimit {
			took = min(took, t.hostileRound(r, all[i], ca, &most))
		}
		if took > hostileLimit {
			r.fail("%s: the run took %v twice, and no more than %v may be", all[i].name, took, hostileLimit)
		}
	})
	r.note("%d behaviours", len(all))
	r.note("the most memory that any of them made a run take: %d MiB", most.Load()>>20)
}

// hostileRound plays a behaviour and returns how long the run took.
func (t *torture) hostileRound(r *result, b behaviour, ca *authority, most *atomic.Int64) time.Duration {
	w := t.newWorld("")
	defer w.end()
	var config *tls.Config
	scheme := "http"
	if b.tls != nil {
		config, scheme = b.tls(ca), "https"
	}
	h := w.hostile(r, "127.0.0.1:0", b, config)
	defer h.close()
	w.url = scheme + "://" + h.address + "/"
	if b.large {
		w.object("a.json", `{"large":"`+strings.Repeat("x", largePayload)+`"}`)
	} else {
		w.object("b.json", does(1, "200"))
		w.array("c.json", does(2, "200"), does(3, "200"))
	}
	flags := []string{"--concurrency", "1", "--timeout", hostileTimeout.String(), "--failure-threshold", fmt.Sprint(hostileRequests)}
	if b.tls != nil {
		flags = append(flags, "--ca-file", ca.file)
	}
	p, err := w.spoolfwd("run", flags...).start()
	w.must(err)
	peak := watchMemory(p.cmd.Process.Pid)
	o := p.wait()
	r.round(1)
	w.check(r, b.name, o)
	if o.code != b.code || !strings.Contains(o.stderr, b.tells) || b.tells == "" && o.stderr != "" {
		r.fail("%s: want exit code %d and a message with %q\n%s", b.name, b.code, b.tells, o.tell())
	}
	if raw := rawIn(o.stderr); raw != "" {
		r.fail("%s: stderr holds %s as it is\n%s", b.name, raw, o.tell())
	}
	bytes := peak()
	limit := int64(hostileMemory)
	if b.large {
		limit += largePayload * 3 / 2
	}
	if bytes > limit {
		r.fail("%s: the run took %d MiB of memory, and no more than %d may be", b.name, bytes>>20, limit>>20)
	}
	for {
		old := most.Load()
		if bytes <= old || most.CompareAndSwap(old, bytes) {
			break
		}
	}
	r.say("%-50s exit code %2d in %5.2f s, %d MiB", b.name, o.code, o.took.Seconds(), bytes>>20)
	h.close()
	w.checkStock(r, b.name, w.takeStock(), 0)
	w.goOn(r, b.name, b.again)
	return o.took
}

// hostileServer accepts connections and mistreats them.
type hostileServer struct {
	socket  net.Listener
	address string
	once    sync.Once
	wait    sync.WaitGroup
	mu      sync.Mutex
	open    map[net.Conn]bool
}

func (w *world) hostile(r *result, address string, b behaviour, config *tls.Config) *hostileServer {
	socket, err := net.Listen("tcp", address)
	w.must(err)
	h := &hostileServer{socket: socket, address: socket.Addr().String(), open: map[net.Conn]bool{}}
	h.wait.Go(func() {
		for {
			c, err := socket.Accept()
			if err != nil {
				return
			}
			h.mu.Lock()
			h.open[c] = true
			h.mu.Unlock()
			h.wait.Go(func() {
				defer c.Close()
				if config != nil {
					c = tls.Server(c, config)
				}
				in := bufio.NewReader(c)
				b.do(c, func(status int) error { return w.takeRequest(r, in, status) })
			})
		}
	})
	return h
}

// close ends all connections, so that nothing is waited for.
func (h *hostileServer) close() {
	h.once.Do(func() {
		h.socket.Close()
		h.mu.Lock()
		for c := range h.open {
			c.Close()
		}
		h.mu.Unlock()
		h.wait.Wait()
	})
}

// takeRequest reads a whole request and records it. Nothing but POSTs may come:
// a GET is what becomes of a redirect that is followed.
func (w *world) takeRequest(r *result, in *bufio.Reader, status int) error {
	request, err := http.ReadRequest(in)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return err
	}
	if request.Method != http.MethodPost || request.URL.Path != "/" {
		r.fail("a request is a %s of %s", request.Method, request.URL.Path)
	}
	w.endpoint.record(delivery{body: string(body), key: keyOf(request.Header), status: status})
	return nil
}

// watchMemory follows the peak of a process's memory. The function returned
// tells it when the process has ended.
func watchMemory(pid int) (peak func() int64) {
	stop, done := make(chan struct{}), make(chan int64)
	go func() {
		var most int64
		for !closed(stop) {
			most = max(most, highWater(pid))
			time.Sleep(2 * time.Millisecond)
		}
		done <- most
	}()
	return func() int64 {
		close(stop)
		return <-done
	}
}

// highWater reads the peak of a process's resident memory (proc_pid_status(5)).
func highWater(pid int) int64 {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0
	}
	_, rest, found := bytes.Cut(data, []byte("VmHWM:"))
	if !found {
		return 0
	}
	var kib int64
	fmt.Sscan(string(rest), &kib)
	return kib << 10
}
