package ci_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/bitville-apm/spoolfwd"

// TestImportsRunOneWay holds the layers apart: the breaker and the transmitter know nothing of
// directories, the spool knows nothing of HTTP or of the breaker, and only the drain and the
// command bring them together. The command keeps out what costs every start and serves few: an idle
// run consists of little more than the start. NATS's client brings net/http along, for WebSockets;
// it is only in the build with -tags nats.
func TestImportsRunOneWay(t *testing.T) {
	for _, test := range []struct {
		of      string
		project []string // packages of the project that it may depend on
		never   []string // packages of others that it must not depend on
	}{
		{of: "breaker", project: []string{"breaker/statefile"}, never: []string{"net", "net/http"}},
		{of: "breaker/statefile", never: []string{"net", "net/http"}},
		{of: "spool", project: []string{"breaker/statefile"}, never: []string{"net", "net/http", "github.com/urfave/cli/v2"}},
		{of: "spool/transmit/h1", never: []string{"net/http"}},
		{of: "spool/transmit", project: []string{"spool/transmit/h1"}, never: []string{"net/http", "github.com/urfave/cli/v2", "github.com/natefinch/atomic"}},
		{of: "spool/transmit/jetstream/stream", project: []string{"spool/transmit", "spool/transmit/h1"}, never: []string{"github.com/nats-io/nats.go", "net/http"}},
		{of: "spool/transmit/jetstream", project: []string{"spool/transmit", "spool/transmit/h1", "spool/transmit/jetstream/stream"}, never: []string{"github.com/urfave/cli/v2", "github.com/nats-io/nats.go/jetstream"}},
		{of: "spool/drain", project: []string{"breaker/statefile", "spool", "spool/transmit", "spool/transmit/h1"}, never: []string{"github.com/urfave/cli/v2"}},
		{of: "cmd/fakelistener"},
		{of: "cmd/spoolfwd", project: []string{"breaker", "breaker/statefile", "spool", "spool/drain", "spool/transmit", "spool/transmit/h1", "spool/transmit/jetstream/stream"},
			never: []string{"github.com/nats-io/nats.go", "net/http", "encoding/gob", "google.golang.org/protobuf/proto", "testing"}},
	} {
		t.Run(test.of, func(t *testing.T) {
			out, err := exec.Command("go", "list", "-deps", module+"/"+test.of).Output()
			if err != nil {
				t.Fatalf("go list: %v", err)
			}
			var found []string
			for dep := range strings.Lines(string(out)) {
				dep = strings.TrimSpace(dep)
				if slices.Contains(test.never, dep) {
					t.Errorf("%s depends on %s", test.of, dep)
				}
				if own, ok := strings.CutPrefix(dep, module+"/"); ok && own != test.of && !strings.HasPrefix(own, test.of+"/internal/") {
					found = append(found, own)
				}
			}
			slices.Sort(found)
			if !slices.Equal(found, test.project) {
				t.Errorf("of the project, %s depends on %q, want %q", test.of, found, test.project)
			}
		})
	}
}
