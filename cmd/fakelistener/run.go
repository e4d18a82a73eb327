package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
)

// Exit codes, as in sysexits.h.
const (
	exitOK    = 0
	exitUsage = 64
	exitIO    = 74
)

// urlPath is the path in the address that is printed. Every other path is answered alike.
const urlPath = "/api/profiling"

// run is the whole command. It returns when ctx ends or a limit is reached, with the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	opts, err := parseArgs(args, stdout)
	if err == nil && opts != nil {
		err = serve(ctx, opts, stdout, stderr)
	}
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(stderr, "fakelistener: %v\n", err)
	if usage := (*usageError)(nil); errors.As(err, &usage) {
		return exitUsage
	}
	return exitIO
}

func serve(ctx context.Context, o *options, stdout, stderr io.Writer) (err error) {
	if err := o.readFiles(); err != nil {
		return err
	}
	if o.verbose {
		o.Log = stderr
	}
	if o.maxRuntime > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.maxRuntime)
		defer cancel()
	}
	s, err := newServer(o.config)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	listeners := []net.Listener{l}
	if o.unixSocket != "" {
		u, err := net.Listen("unix", o.unixSocket)
		if err != nil {
			_ = l.Close()
			return fmt.Errorf("cannot listen: %w", err)
		}
		listeners = append(listeners, u)
	}
	if err := announce(l.Addr(), o, stdout); err != nil {
		for _, l := range listeners {
			_ = l.Close()
		}
		return err
	}
	if o.addressFile != "" {
		defer func() { _ = os.Remove(o.addressFile) }() // the next reader must not find an address that is gone
	}
	err = s.serve(ctx, listeners...)
	if o.statsFile != "" {
		if failed := replaceFile(o.statsFile, indented(s.stats.snapshot())); failed != nil {
			err = cmp.Or(err, fmt.Errorf("cannot write the stats file: %w", failed))
		}
	}
	return err
}

// readFiles reads the files that hold secrets.
func (o *options) readFiles() error {
	if o.tokenFile != "" {
		text, err := os.ReadFile(o.tokenFile)
		if err != nil {
			return fmt.Errorf("cannot read the token: %w", err)
		}
		if o.Token = strings.TrimSpace(string(text)); o.Token == "" {
			return fmt.Errorf("the token file %s is empty", o.tokenFile)
		}
	}
	if o.tlsCert != "" {
		pair, err := tls.LoadX509KeyPair(o.tlsCert, o.tlsKey)
		if err != nil {
			return fmt.Errorf("cannot load %s with %s: %w", o.tlsCert, o.tlsKey, err)
		}
		o.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	}
	return nil
}

// announce tells where the listener is, first in the file, so that a script that reads the line
// from stdout finds the file as well.
func announce(addr net.Addr, o *options, stdout io.Writer) error {
	line := listenerURL(addr, o.TLS != nil) + "\n"
	if o.addressFile != "" {
		if err := replaceFile(o.addressFile, []byte(line)); err != nil {
			return fmt.Errorf("cannot write the address file: %w", err)
		}
	}
	if _, err := io.WriteString(stdout, line); err != nil {
		return fmt.Errorf("cannot print the address: %w", err)
	}
	return nil
}

// listenerURL is a URL that reaches addr from this machine.
func listenerURL(addr net.Addr, secure bool) string {
	host := addr.String()
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		host = net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
	}
	if secure {
		return "https://" + host + urlPath
	}
	return "http://" + host + urlPath
}
