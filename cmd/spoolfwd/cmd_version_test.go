package main

import (
	"runtime/debug"
	"testing"
)

func TestTheVersionIsWhatWasBuilt(t *testing.T) {
	commit := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}
	modified := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	for _, c := range []struct {
		name, module string
		settings     []debug.BuildSetting
		version      string
		line         string
	}{
		{"a release", "v1.2.3", []debug.BuildSetting{commit}, "1.2.3", "spoolfwd 1.2.3 (commit 0123456789ab)"},
		{"a release, changed", "v1.2.3", []debug.BuildSetting{commit, modified}, "1.2.3", "spoolfwd 1.2.3 (commit 0123456789ab, modified)"},
		{"go install", "v1.2.3", nil, "1.2.3", "spoolfwd 1.2.3"},
		{"a commit", "v0.0.0-20261123022541-0123456789ab", []debug.BuildSetting{commit}, "0.0.0-20261123022541-0123456789ab", "spoolfwd 0.0.0-20261123022541-0123456789ab"},
		{"a commit without a tag in reach", "(devel)", []debug.BuildSetting{commit, modified}, "devel", "spoolfwd devel (commit 0123456789ab, modified)"},
		{"nothing is known", "(devel)", nil, "devel", "spoolfwd devel"},
	} {
		info := &debug.BuildInfo{Main: debug.Module{Version: c.module}, Settings: c.settings}
		if got := versionOf(info); got != c.version {
			t.Errorf("%s: the version is %q, want %q", c.name, got, c.version)
		}
		if got := versionLine(c.version, info); got != c.line {
			t.Errorf("%s: --version prints %q, want %q", c.name, got, c.line)
		}
	}
}
