package packaging_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// machine makes of this machine one that spoolfwd is not installed on, as far as the blocks of
// README can see: what they write below /etc, /usr, /var and the checkout goes to a memory file
// system, which ends with this mount namespace. sudo may be missing here, and does what it is
// asked to. Without a running systemd, units can be enabled and not started.
const machine = `set -euE
top=$1
mount --make-rprivate /
mount -t tmpfs tmpfs "$top"
mkdir "$top/bin"
for dir in /etc /usr /var "$CHECKOUT"; do
    mkdir -p "$top/upper$dir" "$top/work$dir"
    mount -t overlay overlay -o "lowerdir=$dir,upperdir=$top/upper$dir,workdir=$top/work$dir" "$dir"
done
cat >"$top/bin/sudo" <<'END'
#!/bin/sh
[ "$1" = -u ] || exec "$@"
user=$2
shift 2
exec setpriv --reuid "$user" --regid "$user" --init-groups -- "$@"
END
cat >"$top/bin/systemctl" <<'END'
#!/bin/sh
case "$1 $2" in
"enable --now") exec /usr/bin/systemctl --root=/ --quiet enable "$3" ;;
daemon-reload*) ;;
*) exec /usr/bin/systemctl "$@" ;;
esac
END
chmod 0755 "$top/bin/sudo" "$top/bin/systemctl"
PATH=$top/bin:$PATH
rm -rf /etc/spoolfwd /etc/cron.d/spoolfwd /usr/bin/spoolfwd /usr/bin/fakelistener /var/lib/bitville-apm
cd "$CHECKOUT"
# check fails as long as the URL is the example's.
set +e
trap 'case $BASH_COMMAND in *"spoolfwd check"*) ;; *) exit 1 ;; esac' ERR
`

// delivers starts a listener, spools one payload as a producer does, and runs what is scheduled.
const delivers = `
cd /
fakelistener --listen 127.0.0.1:0 --address-file /var/url --max-requests 1 --max-runtime 30s >/dev/null 2>&1 &
timeout 10 sh -c 'until [ -s /var/url ]; do sleep 0.1; done'
sed -i '/^url = /d' /etc/spoolfwd/spoolfwd.toml
sed -i "1i url = \"$(cat /var/url)\"" /etc/spoolfwd/spoolfwd.toml
echo '{"n":1}' | sudo -u www-data spoolfwd put >/dev/null
sudo -u www-data env SPOOLFWD_CRON_SPREAD=0 sh -c "$run"
wait
[ -z "$(find /var/lib/bitville-apm/buffer -name '*.json')" ] || { echo "the payload was not delivered"; exit 1; }
`

const (
	runsUnit = `run=$(sed -n 's/^ExecStart=//p' "$(find /etc/systemd/system /usr/lib/systemd/system -name spoolfwd.service | head -n 1)")
[ -L /etc/systemd/system/timers.target.wants/spoolfwd.timer ] || { echo "the timer is not enabled"; exit 1; }
`
	runsCron = `run=$(sed -n 's/^\* .* www-data //p' /etc/cron.d/spoolfwd)
`
)

// Whoever follows README on a machine without spoolfwd ends with one that delivers.
func TestEachWayToInstallThatREADMEDescribesEndsInADelivery(t *testing.T) {
	need.Root(t, "install in a mount namespace")
	for _, program := range []string{"unshare", "setpriv", "systemctl", "make", "apt"} {
		need.Program(t, program)
	}
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	blocks := blocksOf(t, filepath.Join(checkout, "README.md"))
	if out, err := follow(checkout, "", t.TempDir()); err != nil {
		need.Refused(t, "the mounts are refused: %v\n%s", err, out)
	}
	for _, way := range []struct {
		name   string
		blocks []string
		run    string
	}{
		{"from the package", []string{"From the package, for Debian (`.rpm`: `dnf install`):"}, runsUnit},
		{"from source with systemd", []string{"From source:", "then with systemd:"}, runsUnit},
		{"from source with cron", []string{"From source:", "or with cron:"}, runsCron},
	} {
		t.Run(way.name, func(t *testing.T) {
			script := ""
			for _, name := range way.blocks {
				if blocks[name] == "" {
					t.Fatalf("README has no block under %q", name)
				}
				script += blocks[name]
			}
			if out, err := follow(checkout, script+way.run+delivers, t.TempDir()); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// follow runs a script on the machine.
func follow(checkout, script, dir string) (out []byte, err error) {
	cmd := exec.Command("unshare", "--mount", "bash", "-c", machine+script, "bash", dir)
	cmd.Env = append(os.Environ(), "CHECKOUT="+checkout, "ARCHES="+runtime.GOARCH, "FORMATS=deb", "DEBIAN_FRONTEND=noninteractive")
	return cmd.CombinedOutput()
}

// blocksOf returns the shell blocks of a Markdown file by the line of text before each.
func blocksOf(t *testing.T, path string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	blocks := make(map[string]string)
	for _, m := range regexp.MustCompile("(?ms)^(\\S[^\n]*)\n\n```sh\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		blocks[m[1]] = m[2]
	}
	return blocks
}

// The example for CI is copied into jobs whose checkout holds nothing yet.
func TestTheManualsExampleForCIWorksInAnEmptyDirectory(t *testing.T) {
	page, err := os.ReadFile("../man/fakelistener.1")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "Smoke-test a producer in CI")
	_, rest, _ = strings.Cut(rest, ".Bd -literal -offset indent\n")
	example, _, found := strings.Cut(rest, ".Ed\n")
	if !found {
		t.Fatal("the page has no example for CI")
	}
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", bin, "./cmd/...")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command("sh", "-ec", strings.ReplaceAll(example, `\e`, `\`)+"kill $!\n")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "NO_PROXY=127.0.0.1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
