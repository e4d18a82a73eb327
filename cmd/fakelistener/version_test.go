package main

import (
	"runtime/debug"
	"testing"
)

func TestTheVersionIsPrintedInTheFormOfSpoolfwd(t *testing.T) {
	commit := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}
	modified := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	for _, c := range []struct {
		name, module string
		settings     []debug.BuildSetting
		want         string
	}{
		{"a release", "v1.2.3", []debug.BuildSetting{commit}, "fakelistener 1.2.3 (commit 0123456789ab)"},
		{"a release, changed", "v1.2.3", []debug.BuildSetting{commit, modified}, "fakelistener 1.2.3 (commit 0123456789ab, modified)"},
		{"a commit", "v0.0.0-20261123022541-0123456789ab", []debug.BuildSetting{commit}, "fakelistener 0.0.0-20261123022541-0123456789ab"},
		{"nothing is known", "", nil, "fakelistener devel"},
	} {
		if got := versionLine(&debug.BuildInfo{Main: debug.Module{Version: c.module}, Settings: c.settings}); got != c.want {
			t.Errorf("%s: --version prints %q, want %q", c.name, got, c.want)
		}
	}
}
