package main

import (
	"context"
	"runtime/debug"
	"strings"
)

// versionOverride is set by builds of packages, which have versions of their own: -ldflags "-X
// main.versionOverride=1.2.3".
var versionOverride string

// version is the release's, and otherwise what the Go tool made of the commit that it built.
func version() string {
	if versionOverride != "" {
		return versionOverride
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return versionOf(info)
}

func versionOf(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return strings.TrimPrefix(v, "v")
	}
	return "devel"
}

// versionLine is what version prints: the version, and the commit unless the version contains it.
func versionLine(version string, info *debug.BuildInfo) string {
	commit, modified := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = ", modified"
		}
	}
	if commit == "" || strings.Contains(version, commit) {
		return "spoolfwd " + version
	}
	return "spoolfwd " + version + " (commit " + commit + modified + ")"
}

// versionCommand prints the version.
func versionCommand(_ context.Context, s *session) error {
	info, known := debug.ReadBuildInfo()
	if !known {
		info = &debug.BuildInfo{}
	}
	s.out.Line("%s", versionLine(version(), info))
	return nil
}

// userAgent names the program to listeners.
func userAgent() string { return "spoolfwd/" + version() }
