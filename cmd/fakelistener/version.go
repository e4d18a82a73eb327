package main

import (
	"runtime/debug"
	"strings"
)

// version names what this binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "fakelistener unknown"
	}
	return versionLine(info)
}

// versionLine is what --version prints, in the form of spoolfwd's: the version, and the commit
// unless the version contains it.
func versionLine(info *debug.BuildInfo) string {
	version, commit, modified := "devel", "", ""
	if v := info.Main.Version; v != "" && v != "(devel)" {
		version = strings.TrimPrefix(v, "v")
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = ", modified"
		}
	}
	if commit == "" || strings.Contains(version, commit) {
		return "fakelistener " + version
	}
	return "fakelistener " + version + " (commit " + commit + modified + ")"
}
