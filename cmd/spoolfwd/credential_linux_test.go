package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// The recommended place for the token is one that only root can read. Whoever repairs something by
// hand uses the same one as the unit.
func TestRootFindsTheTokenOfTheUnit(t *testing.T) {
	w, _ := newServiceWorld(t)
	unshare := need.Program(t, "unshare", "util-linux")
	if out, err := exec.Command(unshare, "--mount", "true").CombinedOutput(); err != nil {
		need.Refused(t, "no mount namespace can be made here: %s", out) // in a chroot
	}
	etc := t.TempDir()
	config := fmt.Sprintf("url = %q\nspool = %q\nstate-dir = %q\n", w.listener.URL, w.spool, w.state)
	for path, content := range map[string]string{
		"passwd": "root:x:0:0::/:/bin/sh\nservice:x:65534:65534::/:/bin/sh\n", "group": "root:x:0:\nservice:x:65534:\n",
		"spoolfwd/spoolfwd.toml": config, "spoolfwd/second.toml": config, "spoolfwd/third.toml": config,
		"credstore/spoolfwd.token": "of-the-unit", "credstore/spoolfwd.second.token": "of-the-second",
	} {
		path = filepath.Join(etc, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.wrapper = []string{unshare, "--mount", "sh", "-c", "mount --bind " + etc + ` /etc && exec "$0" "$@"`}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"flush"}, "Bearer of-the-unit"},
		{[]string{"run", "--config", "/etc/spoolfwd/second.toml"}, "Bearer of-the-second"},
		{[]string{"run", "--config", "/etc/spoolfwd/third.toml"}, ""},
		{[]string{"run", "--token-command", "/bin/echo of-a-command"}, "Bearer of-a-command"},
	} {
		w.heads = nil
		w.putAs(nobody, "a.json", `{}`)
		w.run(c.args...).wantCode(t, exit.OK)
		if len(w.heads) != 1 || w.heads[0].Get("Authorization") != c.want {
			t.Errorf("%v: the requests' heads are %v, want one with %q", c.args, w.heads, c.want)
		}
	}
	r := w.run("check").wantCode(t, exit.OK)
	wantText(t, "check", r.stdout, "token-file = /etc/credstore/spoolfwd.token  (systemd credential)", "ok   token: /etc/credstore/spoolfwd.token can be read")
}

func TestATokenCommandRunsAsTheOwnerOfTheSpool(t *testing.T) {
	w, dir := newServiceWorld(t)
	w.env.Environ = append(w.env.Environ, "HOME=/root", "PATH="+os.Getenv("PATH"))
	w.putAs(nobody, "a.json", `{}`)
	script := dir + "/give"
	if err := os.WriteFile(script, []byte(`echo "$(id -u):$HOME:$(grep CapEff /proc/self/status | cut -f 2)"`), 0o644); err != nil {
		t.Fatal(err)
	}
	w.do("run", "--token-command", "sh "+script).wantCode(t, exit.OK).wantSilence(t)
	want := "Bearer 65534:" + accountOf(nobody, 0).home + ":0000000000000000"
	if got := w.heads[0].Get("Authorization"); got != want {
		t.Errorf("the request's authorization is %q, want %q", got, want)
	}
}
