//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// mainPackage is that of the command that is measured.
const mainPackage = "github.com/bitville-apm/spoolfwd/cmd/spoolfwd"

// sameFlags returns the source of a program that declares the flags of a run as the manual of the
// flags library says, and does nothing.
func (b *bench) sameFlags() (string, error) {
	help, err := exec.Command(b.program("spoolfwd"), "help", "run").Output()
	if err != nil {
		return "", fmt.Errorf("spoolfwd help run: %w", err)
	}
	var flags strings.Builder
	for _, found := range regexp.MustCompile(`(?m)^  (?:-., )?--([a-z-]+) (\S)?`).FindAllStringSubmatch(string(help), -1) {
		kind := "Bool"
		if found[2] != "" {
			kind = "String"
		}
		if name := found[1]; name != "help" { // which the library has itself
			fmt.Fprintf(&flags, "\t\t&cli.%sFlag{Name: %q},\n", kind, name)
		}
	}
	if flags.Len() == 0 {
		return "", fmt.Errorf("spoolfwd help run shows no flags:\n%s", help)
	}
	return `package main

import (
	"os"

	"github.com/urfave/cli/v2"
)

func main() {
	run := &cli.Command{Name: "run", Action: func(*cli.Context) error { return nil }, Flags: []cli.Flag{
` + flags.String() + `	}}
	if err := (&cli.App{Commands: []*cli.Command{run}}).Run(os.Args); err != nil {
		panic(err)
	}
}
`, nil
}

// sameImports returns the source of a program that costs the Go runtime and the initialization of
// the packages that the command imports.
func sameImports() (string, error) {
	out, err := exec.Command("go", "list", "-f", `{{range .Imports}}{{.}}{{"\n"}}{{end}}`, mainPackage).Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w", err)
	}
	var source strings.Builder
	source.WriteString("package main\n\n")
	for _, path := range strings.Fields(string(out)) {
		fmt.Fprintf(&source, "import _ %q\n", path)
	}
	source.WriteString("\nfunc main() {}\n")
	return source.String(), nil
}

// buildBelow builds a program below the command, whose internal packages it may import. An overlay
// shows it to the Go tool as part of this module; nothing is written into the checkout.
func (b *bench) buildBelow(name, source string) error {
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", mainPackage).Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	file, overlay := b.program(name+".go"), b.program(name+".json")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		return err
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(strings.TrimSpace(string(dir)), name, "main.go"): file}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(overlay, replace, 0o600); err != nil {
		return err
	}
	return b.build("-overlay", overlay, "-o", b.program(name), mainPackage+"/"+name)
}
