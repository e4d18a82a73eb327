package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// secure lets the world's listener speak TLS, up to a version, and perhaps ask for a client
// certificate. resumed is of each request whether its connection resumed a session; the flags are
// what a run needs at that listener.
func (w *world) secure(version uint16, asks bool) (resumed *[]bool, flags []string) {
	ca := newAuthority(w.t)
	soon := time.Now().Add(24 * time.Hour)
	resumed = new([]bool)
	w.listener = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		*resumed = append(*resumed, r.TLS.DidResume)
		w.mu.Unlock()
		w.serve(rw, r)
	}))
	w.listener.Config.ErrorLog = log.New(io.Discard, "", 0)
	w.listener.TLS = &tls.Config{Certificates: []tls.Certificate{ca.issue(w.t, "127.0.0.1", soon)}, MaxVersion: version}
	flags = []string{"--ca-file", ca.file(w.t)}
	if asks {
		w.listener.TLS.ClientAuth, w.listener.TLS.ClientCAs = tls.RequireAndVerifyClientCert, ca.pool()
		cert, key := pairFiles(w.t, ca.issue(w.t, "client", soon))
		flags = append(flags, "--cert-file", cert, "--key-file", key)
	}
	w.listener.StartTLS()
	w.t.Cleanup(w.listener.Close)
	return resumed, flags
}

func TestTheNextProcessResumesTheTLSSession(t *testing.T) {
	program := filepath.Join(buildCommands(t), "spoolfwd")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, asks := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, client certificate %v", tls.VersionName(version), asks), func(t *testing.T) {
				w := newWorld(t)
				w.program, w.env.Environ = program, []string{"NO_PROXY=*"}
				resumed, flags := w.secure(version, asks)
				for range 3 {
					w.put("a.json", `{}`)
					w.do("run", flags...).wantCode(t, exit.OK).wantSilence(t)
				}
				if want := []bool{false, true, true}; !slices.Equal(*resumed, want) {
					t.Errorf("the runs resumed a session: %v, want %v", *resumed, want)
				}
			})
		}
	}
}

// Neither the item nor the breaker pays for a session that the listener takes and does not serve.
func TestAListenerThatServesNoResumedSessionsGetsEverythingInSilence(t *testing.T) {
	w := newWorld(t)
	resumed, flags := w.secure(tls.VersionTLS13, false)
	serve := w.listener.Config.Handler
	w.listener.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.TLS.DidResume {
			w.mu.Lock()
			*resumed = append(*resumed, true)
			w.mu.Unlock()
			panic(http.ErrAbortHandler)
		}
		serve.ServeHTTP(rw, r)
	})
	for run := range 3 {
		for i := range 40 {
			w.put(fmt.Sprintf("%d-%d.json", run, i), `{}`)
		}
		w.do("run --concurrency 16", flags...).wantCode(t, exit.OK).wantSilence(t)
	}
	if got := len(w.received()); got != 120 {
		t.Errorf("the listener took %d items, want 120", got)
	}
	if !slices.Contains(*resumed, true) {
		t.Error("no connection has resumed a session, so nothing was tried")
	}
}

// The file is made after root has become the owner of the spool. Certificates, keys and the token,
// which seal it, may be root's alone.
func TestTheTLSSessionOfARunThatRootStartsIsTheSpoolOwners(t *testing.T) {
	w, dir := newServiceWorld(t)
	resumed, flags := w.secure(tls.VersionTLS13, false)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("root-s-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	flags = append(flags, "--token-file", token)
	for range 2 {
		w.putAs(nobody, "a.json", `{}`)
		w.do("run", flags...).wantCode(t, exit.OK).wantSilence(t)
	}
	if want := []bool{false, true}; !slices.Equal(*resumed, want) {
		t.Errorf("the runs resumed a session: %v, want %v", *resumed, want)
	}
	if info, err := os.Lstat(w.state + "/central_listener.session"); err != nil || info.Mode() != 0o600 {
		t.Errorf("the session's file: %v, %v, want mode 0600", info, err)
	}
	wantAllOf(t, nobody, dir)
}

func TestADiskThatTakesNoSessionStopsNoDeliveries(t *testing.T) {
	need.Root(t, "mount")
	for _, before := range []string{"no run before", "a run before"} {
		t.Run(before, func(t *testing.T) {
			w := newWorld(t)
			w.now = time.Now()
			resumed, flags := w.secure(tls.VersionTLS13, false)
			if err := os.Mkdir(w.state, 0o755); err != nil {
				t.Fatal(err)
			}
			if before == "a run before" {
				w.put("first.json", `{}`)
				w.do("run", flags...).wantCode(t, exit.OK)
			}
			mountReadOnly(t, w.state)
			w.put("a.json", `{}`)
			w.do("run", flags...).wantCode(t, exit.OK).wantSilence(t)
			if n, last := len(w.received()), (*resumed)[len(*resumed)-1]; last != (before == "a run before") {
				t.Errorf("after %d requests the last connection resumed a session: %v", n, last)
			}
			w.put("b.json", `{}`)
			r := w.do("run -v", flags...).wantCode(t, exit.OK)
			wantText(t, "standard error with -v", r.stderr, "the TLS session cannot be kept for the next run", "read-only file system")
		})
	}
}

// A ticket that was used is not for a second run, even if there is no room for the new one.
func TestAFullDiskKeepsNoUsedSession(t *testing.T) {
	need.Root(t, "mount a small disk")
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "nr_inodes=2"); err != nil {
		need.Refused(t, "cannot mount: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	f := sessionFileFor(breaker.Config{StateDir: dir, Name: "x"})
	if err := f.Save([]byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := f.Save([]byte("second")); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("the error is %v, want %v", err, unix.ENOSPC)
	}
	if data, err := f.Load(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file holds %q, %v, want none", data, err)
	}
}
