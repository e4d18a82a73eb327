package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// certificateWarning is how long before its end a certificate is mentioned.
const certificateWarning = 14 * 24 * time.Hour

func ownerOf(info os.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}

func deviceOf(info os.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Dev)
	}
	return 0
}

// clock compares the clock with the time this program's source was committed:
// a machine without a battery wakes up in 1970.
func (d *doctor) clock() {
	now := d.s.env.Now()
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return
	}
	for _, set := range info.Settings {
		if built, err := time.Parse(time.RFC3339, set.Value); set.Key == "vcs.time" && err == nil && now.Before(built.Add(-24*time.Hour)) {
			d.warn("clock", "set it; is a time service running?", "it says %s, before this program was made", now.Format(time.RFC3339))
			return
		}
	}
	d.ok("clock", "it says %s", now.Format(time.RFC3339))
}

// listener looks at the settings for the listener and then does all that a
// request needs, but for the request.
func (d *doctor) listener(ctx context.Context) {
	t, err := d.s.newTransmitter()
	if err != nil {
		d.fail("listener", err)
		return
	}
	defer t.Close()
	if u, err := url.Parse(d.s.cfg.Listener.URL); err == nil {
		d.secrets(u)
	}
	d.clientCertificate()
	found := t.Probe(ctx)
	for _, step := range found.Steps {
		if step.Err != nil {
			d.fail(step.Name, exit.With(exit.Left, step.Err))
		} else {
			d.ok(step.Name, "%s", step.Detail)
		}
	}
	if !found.NotAfter.IsZero() {
		d.expiry("listener's certificate", found.NotAfter)
	}
}

// secrets warns about a token that others can read or that travels in the clear.
func (d *doctor) secrets(u *url.URL) {
	file := d.s.cfg.Listener.TokenFile
	if file == "" {
		return
	}
	d.ok("token", "%s can be read", file)
	if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o004 != 0 {
		d.warn("token", "chmod o-r it", "every user of this machine can read %s", file)
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		d.warn("token", "use https", "the token is sent unencrypted to %s", u.Host)
	}
}

// clientCertificate judges --cert-file, which can be read, or there would be no
// transmitter. The handshake does not: a listener may look at the end of a
// client's certificate only when it gets a request.
func (d *doctor) clientCertificate() {
	if d.s.cfg.Listener.CertFile == "" {
		return
	}
	if pair, err := tls.LoadX509KeyPair(d.s.cfg.Listener.CertFile, d.s.cfg.Listener.KeyFile); err == nil && pair.Leaf != nil {
		d.expiry("client certificate", pair.Leaf.NotAfter)
	}
}

// expiry judges when a certificate ends. One that is good for long is not worth a
// line of its own.
func (d *doctor) expiry(what string, notAfter time.Time) {
	left := notAfter.Sub(d.s.env.Now())
	until := notAfter.UTC().Format(time.DateOnly)
	switch {
	case left < 0:
		d.fail("tls", exit.With(exit.Left, withHint(fmt.Errorf("the %s ended on %s", what, until), "renew it")))
	case left < certificateWarning:
		d.warn("tls", "renew it", "the %s ends on %s, in %s", what, until, console.Duration(left))
	}
}
