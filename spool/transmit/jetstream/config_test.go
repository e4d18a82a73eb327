package jetstream

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

func TestACredentialsFileSignsForItsUser(t *testing.T) {
	const seed = "SUAAXCCTKXS6UHT4F4A2ASBHZA7OPJ4U3BQ3QQDBCULDZIHLNKIDD2QVGY" // made for this test
	file := filepath.Join(t.TempDir(), "creds")
	text := "-----BEGIN NATS USER JWT-----\neyJ0.x.y\n------END NATS USER JWT------\n\n" +
		"-----BEGIN USER NKEY SEED-----\n" + seed + "\n------END USER NKEY SEED------\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, &fakeServer{info: map[string]any{"nonce": "abc", "auth_required": true}})
	tr := newTransmitter(t, Config{URL: s.url("S"), CredsFile: file})
	if err := os.Remove(file); err != nil { // it is read by New
		t.Fatal(err)
	}
	wantVerdict(t, tr.Send(t.Context(), item()), transmit.Delivered, 200, 0)
	fields := s.connects()[0]
	if fields["jwt"] != "eyJ0.x.y" || fields["sig"] == "" {
		t.Errorf("the server got %v, want the JWT and a signature", fields)
	}
}

func TestASeedAloneSignsForItsPublicKey(t *testing.T) {
	const seed = "SUAAXCCTKXS6UHT4F4A2ASBHZA7OPJ4U3BQ3QQDBCULDZIHLNKIDD2QVGY" // made for this test
	file := filepath.Join(t.TempDir(), "seed")
	if err := os.WriteFile(file, []byte(seed+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, &fakeServer{info: map[string]any{"nonce": "abc", "auth_required": true}})
	wantVerdict(t, newTransmitter(t, Config{URL: s.url("S"), CredsFile: file}).Send(t.Context(), item()), transmit.Delivered, 200, 0)
	without := startServer(t, &fakeServer{})
	v := newTransmitter(t, Config{URL: without.url("S"), CredsFile: file}).Send(t.Context(), item())
	wantVerdict(t, v, transmit.Kept, 0, transmit.NATSRefused)
	if fields := s.connects()[0]; !strings.HasPrefix(fmt.Sprint(fields["nkey"]), "U") || fields["sig"] == "" || fields["jwt"] != nil {
		t.Errorf("the server got %v, want the public key and a signature", fields)
	}
}

func TestWrongConfigurations(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, test := range []struct {
		name string
		cfg  Config
		says string
	}{
		{"no subject", Config{URL: "nats://a"}, "url: the subject is missing"},
		{"a key of one's own", Config{URL: "nats://a/S", Headers: []string{"nats-msg-id: x"}}, "Nats-Msg-Id cannot be set"},
		{"a header that deletes what is stored", Config{URL: "nats://a/S", Headers: []string{"Nats-Rollup: all"}}, "Nats-Rollup cannot be set"},
		{"two ways to log in", Config{URL: "nats://me:word@a/S", TokenFile: file("token", "word")}, "give one"},
		{"a credentials file without a seed", Config{URL: "nats://a/S", CredsFile: file("creds", "eyJ0.x.y\n")}, "holds no seed of a user"},
		{"a credentials file with a broken JWT", Config{URL: "nats://a/S", CredsFile: file("broken", "NATS USER JWT\nSUAAXCCTKXS6UHT4F4A2ASBHZA7OPJ4U3BQ3QQDBCULDZIHLNKIDD2QVGY\n")}, "holds no JWT"},
		{"no credentials file", Config{URL: "nats://a/S", CredsFile: filepath.Join(dir, "none")}, "no such file"},
		{"no authorities", Config{URL: "tls://a/S", CAFile: file("ca", "x")}, "holds no PEM certificate"},
		{"a negative time", Config{URL: "nats://a/S", Timeout: -1}, "must be more than 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := New(test.cfg); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("the error is %v, want %q", err, test.says)
			}
		})
	}
}
