//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// buildEmpty builds a program that imports what the command imports and does
// nothing: what the Go runtime and the packages' own start-up work cost. It belongs to
// this module only in the eyes of the Go tool, through an overlay; nothing is written
// into the checkout.
func (b *bench) buildEmpty() error {
	const command = "github.com/bitville-apm/spoolfwd/cmd/spoolfwd"
	imports, err := goList("-f", `{{join .Imports "\n"}}`, command)
	if err != nil {
		return err
	}
	dir, err := goList("-f", "{{.Dir}}", command)
	if err != nil {
		return err
	}
	var source strings.Builder
	source.WriteString("package main\n\nimport (\n")
	for path := range strings.FieldsSeq(imports) {
		fmt.Fprintf(&source, "\t_ %q\n", path)
	}
	source.WriteString(")\n\nfunc main() {}\n")
	file := filepath.Join(b.work, "empty.go")
	if err := os.WriteFile(file, []byte(source.String()), 0o600); err != nil {
		return err
	}
	overlay, err := json.Marshal(map[string]map[string]string{
		"Replace": {filepath.Join(dir+"-empty", "main.go"): file},
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(b.program("overlay.json"), overlay, 0o600); err != nil {
		return err
	}
	return b.build("-overlay", b.program("overlay.json"), "-o", b.program("empty"), command+"-empty")
}

func goList(args ...string) (string, error) {
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}
