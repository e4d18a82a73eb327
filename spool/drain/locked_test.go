package drain_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A function that needs the lock of a run and does not say so would soon be called without it.
func TestFunctionsThatNeedTheLockOfARunEndInLocked(t *testing.T) {
	alone := []string{"drain", "scan", "standBy", "expire", "expires", "moveExpired", "plan", "pretend", "decodeIndex"} // beside them no other goroutine runs
	constant := []string{"file.place", "file.payload", "queue.scanner", "Index.path", "Index.maxDeferred"}

	names, err := exec.Command("go", "list", "-f", `{{join .GoFiles "\n"}}`).Output()
	if err != nil {
		t.Fatal(err)
	}
	set, files := token.NewFileSet(), []*ast.File{}
	for _, name := range strings.Fields(string(names)) {
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	fields := map[*ast.SelectorExpr]*types.Selection{}
	config := types.Config{Error: func(error) {}} // packages are not imported, so that their types are unknown
	drain, _ := config.Check("drain", set, files, &types.Info{Selections: fields})
	mu, _, _ := types.LookupFieldOrMethod(drain.Scope().Lookup("run").Type(), true, drain, "mu")
	isGuarded := func(field *types.Selection) bool {
		owner := strings.TrimPrefix(types.TypeString(field.Recv(), types.RelativeTo(drain)), "*")
		switch owner {
		case "run":
			return field.Obj().Pos() > mu.Pos()
		case "queue", "line", "file", "Index", "Report":
			return !slices.Contains(constant, owner+"."+field.Obj().Name())
		}
		return false
	}
	var all []ast.Decl
	for _, file := range files {
		all = append(all, file.Decls...)
	}
	for _, declared := range all {
		f, ok := declared.(*ast.FuncDecl)
		if !ok || f.Name.IsExported() || slices.Contains(alone, f.Name.Name) {
			continue
		}
		needs, takes := "", false
		ast.Inspect(f.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				if strings.HasSuffix(n.Name, "Locked") {
					needs = n.Name
				}
				takes = takes || n.Name == "Lock"
			case *ast.SelectorExpr:
				if field := fields[n]; field != nil && field.Kind() == types.FieldVal && isGuarded(field) {
					needs = n.Sel.Name
				}
			}
			return true
		})
		switch isLocked := strings.HasSuffix(f.Name.Name, "Locked"); {
		case !isLocked && !takes && needs != "":
			t.Errorf("%s needs the lock for %s: let it end in Locked, or take the lock", f.Name.Name, needs)
		case isLocked && (takes || needs == ""):
			t.Errorf("%s ends in Locked and does not need the lock held", f.Name.Name)
		}
	}
}
