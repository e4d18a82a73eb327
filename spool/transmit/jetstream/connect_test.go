package jetstream

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

func TestARefusalIsKeptAndNamesItsCause(t *testing.T) {
	refusing := func(c *client, _ map[string]any) bool {
		c.say("-ERR 'Authorization Violation'\r\n")
		return false
	}
	for _, test := range []struct {
		name   string
		server *fakeServer
		user   string
		scheme string
		cause  transmit.Cause
		says   string
	}{
		{"credentials that are missing", &fakeServer{connect: refusing}, "", "nats", transmit.NATSNoCredentials, "none were sent"},
		{"wrong credentials", &fakeServer{connect: refusing}, "me:secret-word@", "nats", transmit.NATSRefused, "Authorization Violation"},
		{"a user who must not publish", &fakeServer{message: func(c *client, m message) {
			c.say("-ERR 'Permissions Violation for Publish to %q'\r\n", m.Subject)
		}}, "", "nats", transmit.NATSPublishDenied, "may not publish"},
		{"a user who must not hear answers", &fakeServer{subject: func(c *client, subject string) {
			c.say("-ERR 'Permissions Violation for Subscription to %q'\r\n", subject)
		}}, "", "nats", transmit.NATSRepliesDenied, "nothing was sent"},
		{"a server without TLS", &fakeServer{}, "", "tls", transmit.NATSPlain, "offers no TLS"},
		{"too many connections", &fakeServer{connect: func(c *client, _ map[string]any) bool {
			c.say("-ERR 'maximum connections exceeded'\r\n")
			return false
		}}, "", "nats", transmit.Unknown, "maximum connections exceeded"},
		{"a server that closes", &fakeServer{connect: func(*client, map[string]any) bool { return false }}, "", "nats", transmit.NATSSilent, "closed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := startServer(t, test.server)
			tr := newTransmitter(t, Config{URL: test.scheme + "://" + test.user + s.address + "/S", Timeout: 10 * time.Second})
			began := time.Now()
			v := tr.Send(t.Context(), item())
			wantVerdict(t, v, transmit.Kept, 0, test.cause)
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %v, and the server said it at once", took)
			}
			if !strings.Contains(v.Err.Error(), test.says) {
				t.Errorf("the error is %q, want %q in it", v.Err, test.says)
			}
			if strings.Contains(v.Err.Error(), "secret-word") {
				t.Errorf("the error shows the password: %v", v.Err)
			}
			if v.Sent != false {
				t.Error("the verdict says that something may have been stored")
			}
		})
	}
}

// A listener may echo what it got.
func TestNoErrorShowsASecret(t *testing.T) {
	echo := func(c *client, fields map[string]any) bool {
		c.say("-ERR 'I do not like %v %v %v'\r\n", fields["user"], fields["pass"], fields["auth_token"])
		return false
	}
	s := startServer(t, &fakeServer{connect: echo})
	file := filepath.Join(t.TempDir(), "token")
	for _, test := range []struct{ name, inURL, inFile string }{
		{"a token in a file", "", "hunter-22"},
		{"a password in a file", "", "me:hunter-22"},
		{"a token in the URL", "hunter-22@", ""},
		{"a password in the URL", "me:hunter-22@", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := Config{URL: "nats://" + test.inURL + s.address + "/S"}
			if test.inFile != "" {
				cfg.TokenFile = file
				if err := os.WriteFile(file, []byte(test.inFile+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			tr := newTransmitter(t, cfg)
			v := tr.Send(t.Context(), item())
			if said := fmt.Sprintf("%v %s %s", v.Err, v.Excerpt, tr.URL()); strings.Contains(said, "hunter") || !strings.Contains(said, "I do not like") {
				t.Errorf("it says %q", said)
			}
		})
	}
	for _, fields := range s.connects() {
		if fields["pass"] != "hunter-22" && fields["auth_token"] != "hunter-22" {
			t.Errorf("the server got %v, without the secret", fields)
		}
	}
}

func TestAServerThatIsDownLeavesTheOthers(t *testing.T) {
	s := startServer(t, &fakeServer{})
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead.Close()
	for range 8 { // the order is random
		tr := newTransmitter(t, Config{URL: "nats://" + dead.Addr().String() + "," + s.address + "/S"})
		wantVerdict(t, tr.Send(t.Context(), item()), transmit.Delivered, 200, 0)
	}
	all := newTransmitter(t, Config{URL: "nats://" + dead.Addr().String() + "," + dead.Addr().String() + "/S"})
	wantVerdict(t, all.Send(t.Context(), item()), transmit.Kept, 0, transmit.Refused)
}

func TestAServerThatSaysNothingIsLeftForAnother(t *testing.T) {
	s := startServer(t, &fakeServer{})
	silent := startServer(t, &fakeServer{connect: func(c *client, _ map[string]any) bool { untilClosed(c); return false }})
	for range 4 {
		tr := newTransmitter(t, Config{URL: "nats://" + silent.address + "," + s.address + "/S", ConnectTimeout: 500 * time.Millisecond})
		wantVerdict(t, tr.Send(t.Context(), item()), transmit.Delivered, 200, 0)
	}
	only := newTransmitter(t, Config{URL: silent.url("S"), ConnectTimeout: 500 * time.Millisecond})
	v := only.Send(t.Context(), item())
	wantVerdict(t, v, transmit.Kept, 0, transmit.NATSSilent)
	if !strings.Contains(v.Err.Error(), "not let in within 500ms") {
		t.Errorf("it says %q", v.Err)
	}
}

func TestAServerThatRefusesTellsMoreThanOneThatIsDown(t *testing.T) {
	s := startServer(t, &fakeServer{connect: func(c *client, _ map[string]any) bool {
		c.say("-ERR 'Authorization Violation'\r\n")
		return false
	}})
	for range 4 {
		tr := newTransmitter(t, Config{URL: "nats://127.0.0.1:1," + s.address + "/S"})
		wantVerdict(t, tr.Send(t.Context(), item()), transmit.Kept, 0, transmit.NATSNoCredentials)
	}
}
