package release_test

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// newKey makes a maintainer's key, and returns the path of its private half.
func newKey(t *testing.T) string {
	t.Helper()
	key := filepath.Join(t.TempDir(), "release")
	if out, err := exec.Command(need.Program(t, "ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	return key
}

// publish writes the file that says whose signature counts.
func publish(t *testing.T, dir, key string) {
	t.Helper()
	write(t, filepath.Join(dir, "allowed_signers"), `release namespaces="file" `+string(read(t, key+".pub")))
}

// verify runs the commands of the documentation beside a release.
func verify(t *testing.T, sums string) (string, error) {
	t.Helper()
	const page = "../doc/releases.md"
	_, block, _ := strings.Cut(string(read(t, page)), "\n```sh\nssh-keygen -Y verify ")
	block, _, found := strings.Cut(block, "\n```\n")
	if !found || !strings.Contains(block, "\nsha256sum ") {
		t.Fatalf("%s does not say how a release is verified", page)
	}
	version := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(sums), "spoolfwd-"), ".sha256")
	cmd := exec.Command("sh", "-ec", "ssh-keygen -Y verify "+strings.ReplaceAll(block, "VERSION", version))
	cmd.Dir = filepath.Dir(sums)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// wantBill compares the bill of materials with what the program says of itself.
func wantBill(t *testing.T, path, dir string) {
	t.Helper()
	var bill struct {
		BOMFormat, SpecVersion string
		Metadata               struct {
			Component struct{ Name, Version string }
		}
		Components []struct{ Name, Version, PURL string }
	}
	if err := json.Unmarshal(read(t, path), &bill); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, program := range []string{"spoolfwd", "spoolfwd-nats", "fakelistener"} {
		info, err := buildinfo.ReadFile(filepath.Join(dir, program))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, "stdlib "+strings.TrimPrefix(info.GoVersion, "go"))
		for _, dep := range info.Deps {
			want = append(want, dep.Path+" "+dep.Version)
		}
	}
	slices.Sort(want)
	want = slices.Compact(want)
	var got []string
	for _, c := range bill.Components {
		got = append(got, c.Name+" "+c.Version)
		if c.PURL != "pkg:golang/"+c.Name+"@"+strings.ReplaceAll(c.Version, "+", "%2B") {
			t.Errorf("the package URL of %s is %q", c.Name, c.PURL)
		}
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("%s lacks %s", path, w)
		}
	}
	if len(got) != len(want) || len(want) < 6 {
		t.Errorf("%s names %d components, want %d: %q", path, len(got), len(want), got)
	}
	self := bill.Metadata.Component
	if bill.BOMFormat != "CycloneDX" || self.Name != "spoolfwd" || !strings.Contains(filepath.Base(path), fmt.Sprintf("-%s-", self.Version)) {
		t.Errorf("%s is the %s of %+v", path, bill.BOMFormat, self)
	}
}
