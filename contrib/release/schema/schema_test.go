// Package schema_test holds a bill of materials against the schema of CycloneDX, and reads it with
// the library of that project.
package schema_test

import (
	"bytes"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func TestABillOfMaterialsKeepsTheSchemaOfItsVersion(t *testing.T) {
	bin := t.TempDir()
	run(t, "../../..", "go", "build", "-o", bin+"/", "./cmd/...", "./contrib/release/sbom")
	bill := run(t, ".", filepath.Join(bin, "sbom"), "1.0.0", "2026-03-01T12:00:00Z", filepath.Join(bin, "spoolfwd"), filepath.Join(bin, "fakelistener"))

	var read cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(bytes.NewReader(bill), cyclonedx.BOMFileFormatJSON).Decode(&read); err != nil {
		t.Fatal(err)
	}
	library := strings.TrimSpace(string(run(t, ".", "go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go")))
	c := jsonschema.NewCompiler()
	c.UseLoader(schemas(filepath.Join(library, "schema")))
	c.AssertFormat()
	schema, err := c.Compile("http://cyclonedx.org/schema/bom-" + read.SpecVersion.String() + ".schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, schema, bill); err != nil {
		t.Errorf("%v\n%s", err, bill)
	}
	if err := validate(t, schema, bytes.Replace(bill, []byte(`"library"`), []byte(`"book"`), 1)); err == nil {
		t.Error("the schema takes a component of a kind that there is not")
	}
}

// schemas is the directory of the schemas in the library, so that none is asked for elsewhere.
type schemas string

func (dir schemas) Load(url string) (any, error) {
	name := path.Base(url)
	if name == "jsf-0.82.schema.json" {
		name = "jsf-0.82.schemax.json" // its name there
	}
	file, err := os.Open(filepath.Join(string(dir), name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return jsonschema.UnmarshalJSON(file)
}

func validate(t *testing.T, schema *jsonschema.Schema, bill []byte) error {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(bill))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(value)
}

// run returns what a program prints.
func run(t *testing.T, dir, program string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	var out, messages bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &messages
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s", program, args, err, messages.String())
	}
	return out.Bytes()
}
