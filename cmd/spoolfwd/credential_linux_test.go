package main

import (
	"os"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

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
