package nats_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"
)

// Each way to reach a server and to say who one is, against a real one. With it the item arrives.
// Without it, where the server asks, the item stays and the run ends with 69.
func TestASpoolIsDrainedInEachWayToSayWhoOneIs(t *testing.T) {
	dir, bin := t.TempDir(), t.TempDir()
	buildPrograms(t, bin)
	own, client := newCertificate(t), newCertificate(t)
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	user, seed := newKeys(t, nkeys.CreateUser)
	seedFile := file("seed", seed)
	bySeed, err := nats.NkeyOptionFromSeed(seedFile)
	if err != nil {
		t.Fatal(err)
	}
	operator := newOperator(t)
	creds := file("creds", operator.creds)
	tls := fmt.Sprintf("cert_file: %q, key_file: %q", own.file, own.key)
	for _, tt := range []struct {
		name, config string
		scheme, user string
		anyway       []string // flags that say nothing about who one is
		flags        []string
		open         bool        // the server does not ask
		ours         nats.Option // for the connection that makes the stream
	}{
		{name: "a user in the URL", config: `authorization { user: me, password: "p@ss" }`, user: "me:p%40ss@", ours: nats.UserInfo("me", "p@ss")},
		{name: "a token in the URL", config: `authorization { token: s3cret }`, user: "s3cret@", ours: nats.Token("s3cret")},
		{name: "a token in a file", config: `authorization { token: s3cret }`, flags: []string{"--token-file", file("token", "s3cret\n")}, ours: nats.Token("s3cret")},
		{name: "a user in a file", config: `authorization { user: me, password: word }`, flags: []string{"--token-file", file("user", "me:word")},
			ours: nats.UserInfo("me", "word")},
		{name: "a seed", config: `authorization { users: [ { nkey: ` + user + ` } ] }`, flags: []string{"--creds-file", seedFile}, ours: bySeed},
		{name: "a JWT", config: operator.config, flags: []string{"--creds-file", creds}, ours: nats.UserCredentials(creds)},
		{name: "a client certificate", config: fmt.Sprintf("tls { %s, ca_file: %q, verify: true }", tls, client.file), scheme: "tls",
			anyway: []string{"--ca-file", own.file}, flags: []string{"--cert-file", client.file, "--key-file", client.key},
			ours: func(o *nats.Options) error {
				return errors.Join(nats.RootCAs(own.file)(o), nats.ClientCert(client.file, client.key)(o))
			}},
		{name: "WebSockets", config: `websocket { listen: "127.0.0.1:-1", no_tls: true }`, scheme: "ws", open: true, ours: nats.Name("")},
		{name: "WebSockets over TLS, and a user", config: fmt.Sprintf(`websocket { listen: "127.0.0.1:-1", tls { %s } }
			authorization { user: me, password: word }`, tls), scheme: "wss", user: "me:word@", anyway: []string{"--ca-file", own.file},
			ours: nats.UserInfo("me", "word")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startAlone(t, tt.config, tt.ours)
			spool, state := t.TempDir(), t.TempDir()
			if err := os.WriteFile(filepath.Join(spool, "a.json"), []byte(`{"n":1}`), 0o600); err != nil {
				t.Fatal(err)
			}
			run := func(user string, flags ...string) (code int, said string) {
				scheme, at := "nats", s.Addr().String()
				if tt.scheme != "" {
					scheme = tt.scheme
				}
				if strings.HasPrefix(scheme, "ws") {
					at = strings.TrimPrefix(strings.TrimPrefix(s.WebsocketURL(), "ws://"), "wss://")
				}
				args := append([]string{"run", "--spool", spool, "--state-dir", state, "--url", scheme + "://" + user + at + "/items.new"}, flags...)
				cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "spoolfwd"), append(args, tt.anyway...)...)
				cmd.Env = []string{}
				out, _ := cmd.CombinedOutput()
				return cmd.ProcessState.ExitCode(), string(out)
			}
			if !tt.open {
				if code, said := run(""); code != 69 || stored(t, s) != 0 {
					t.Errorf("without it, the run ended with %d, and the stream has %d items\n%s", code, stored(t, s), said)
				}
			}
			if code, said := run(tt.user, tt.flags...); code != 0 || stored(t, s) != 1 {
				t.Errorf("the run ended with %d, and the stream has %d items\n%s", code, stored(t, s), said)
			}
		})
	}
}

// startAlone starts one server with a stream that takes items.new.
func startAlone(t *testing.T, config string, ours nats.Option) *server.Server {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "conf")
	if err := os.WriteFile(path, fmt.Appendf(nil, "listen: \"127.0.0.1:-1\"\njetstream { store_dir: %q }\n%s\n", dir, config), 0o600); err != nil {
		t.Fatal(err)
	}
	options, err := server.ProcessConfigFile(path)
	if err != nil {
		t.Fatal(err)
	}
	options.NoLog, options.NoSigs = true, true
	s, err := server.NewServer(options)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("the server does not become ready")
	}
	conn, err := nats.Connect(s.ClientURL(), ours)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err == nil {
		_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "items", Subjects: []string{"items.>"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// stored is how many items are in all streams of a server.
func stored(t *testing.T, s *server.Server) uint64 {
	t.Helper()
	info, err := s.Jsz(nil)
	if err != nil {
		t.Fatal(err)
	}
	return info.Messages
}

// operator is a server that knows accounts by their JWT, and one user of the account.
type operator struct{ config, creds string }

func newOperator(t *testing.T) operator {
	t.Helper()
	signed := func(claims jwt.Claims, seed string) string {
		t.Helper()
		key, err := nkeys.FromSeed([]byte(seed))
		if err != nil {
			t.Fatal(err)
		}
		text, err := claims.Encode(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	root, rootSeed := newKeys(t, nkeys.CreateOperator)
	system, _ := newKeys(t, nkeys.CreateAccount)
	account, accountSeed := newKeys(t, nkeys.CreateAccount)
	user, userSeed := newKeys(t, nkeys.CreateUser)
	itself := jwt.NewOperatorClaims(root)
	itself.SystemAccount = system
	claims := jwt.NewAccountClaims(account)
	claims.Limits.JetStreamLimits = jwt.JetStreamLimits{DiskStorage: jwt.NoLimit, Streams: jwt.NoLimit, Consumer: jwt.NoLimit}
	creds, err := jwt.FormatUserConfig(signed(jwt.NewUserClaims(user), accountSeed), []byte(userSeed))
	if err != nil {
		t.Fatal(err)
	}
	return operator{
		config: fmt.Sprintf("operator: %s\nresolver: MEMORY\nresolver_preload { %s: %s, %s: %s }\n", signed(itself, rootSeed),
			system, signed(jwt.NewAccountClaims(system), rootSeed), account, signed(claims, rootSeed)),
		creds: string(creds),
	}
}

// newKeys makes a pair of keys: a public key and a seed.
func newKeys(t *testing.T, create func() (nkeys.KeyPair, error)) (public, seed string) {
	t.Helper()
	pair, err := create()
	if err != nil {
		t.Fatal(err)
	}
	if public, err = pair.PublicKey(); err != nil {
		t.Fatal(err)
	}
	secret, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	return public, string(secret)
}
