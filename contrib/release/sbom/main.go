// Command sbom prints the software bill of materials of Go programs, as CycloneDX JSON: the modules
// that the linker put into them, and the standard library. It takes them from the programs
// themselves, so that the list cannot differ from what is shipped, and it reads nothing else. The
// same programs make the same bytes.
//
//	sbom VERSION TIME PROGRAM...
package main

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
)

type document struct {
	Format       string       `json:"bomFormat"`
	SpecVersion  string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Type    string `json:"type"`
	Ref     string `json:"bom-ref"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"` // directly or not: programs do not tell
}

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: sbom VERSION TIME PROGRAM...")
		os.Exit(64)
	}
	d, err := describe(os.Args[1], os.Args[2], os.Args[3:])
	if err == nil {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		err = out.Encode(d)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "sbom: %v\n", err)
		os.Exit(1)
	}
}

func describe(version, time string, programs []string) (document, error) {
	d := document{Format: "CycloneDX", SpecVersion: "1.5", Version: 1}
	for _, program := range programs {
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return d, err
		}
		root := module("application", info.Main.Path, version)
		root.Name = path.Base(root.Name)
		d.Metadata = metadata{Timestamp: time, Component: root}
		goVersion, _, _ := strings.Cut(strings.TrimPrefix(info.GoVersion, "go"), " ")
		d.Components = append(d.Components, module("library", "stdlib", goVersion))
		for _, dep := range info.Deps {
			if dep.Replace != nil {
				dep = dep.Replace
			}
			d.Components = append(d.Components, module("library", dep.Path, dep.Version))
		}
	}
	slices.SortFunc(d.Components, func(a, b component) int { return strings.Compare(a.Ref, b.Ref) })
	d.Components = slices.Compact(d.Components)
	all := dependency{Ref: d.Metadata.Component.Ref}
	for _, c := range d.Components {
		all.DependsOn = append(all.DependsOn, c.Ref)
	}
	d.Dependencies = []dependency{all}
	return d, nil
}

// module names a module as package URLs do. The "+" of a version is encoded there.
func module(kind, path, version string) component {
	purl := "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
	return component{Type: kind, Ref: purl, Name: path, Version: version, PURL: purl}
}
