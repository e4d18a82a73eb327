package main

import (
	"runtime/debug"
	"strings"
)

// versionOverride is set by release builds: -ldflags "-X main.versionOverride=1.2.3".
var versionOverride string

// version returns the release, else what the Go tool recorded about the module
// and the commit it was built from.
func version() string {
	if versionOverride != "" {
		return versionOverride
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return strings.TrimPrefix(v, "v")
	}
	text, dirty := "devel", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			text += " " + s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = " (modified)"
		}
	}
	return text + dirty
}

// userAgent names the program to listeners; a version with spaces would read as
// several products.
func userAgent() string {
	v, _, _ := strings.Cut(strings.TrimPrefix(version(), "devel "), " ")
	return "spoolfwd/" + v
}
