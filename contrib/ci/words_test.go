package ci_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var (
	proseIn = []string{".go", ".md", ".sh", ".txtar", ".1", ".5", ".8"}
	comment = regexp.MustCompile(`^\s*//`)
	isNo    = regexp.MustCompile(`(?i)(\w+) (?:is|are|was|were|be) no (\w+)`)
)

// The rules of language in CONTRIBUTING.md that a machine can hold.
func TestCommentsWrapAt100ColumnsAndSayNotAInsteadOfIsNo(t *testing.T) {
	lines := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !slices.Contains(proseIn, filepath.Ext(path)) {
			return err
		}
		text, err := os.ReadFile(path)
		for i, line := range strings.Split(string(text), "\n") {
			lines++
			if n := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    ")); n > 100 && comment.MatchString(line) {
				t.Errorf("%s:%d: the comment is %d columns wide, more than 100", path, i+1, n)
			}
			for _, m := range isNo.FindAllStringSubmatch(line, -1) {
				if !strings.EqualFold(m[1], "there") && m[2] != "longer" && m[2] != "more" {
					t.Errorf("%s:%d: %q should say \"not a\"", path, i+1, m[0])
				}
			}
		}
		return err
	})
	if err != nil || lines < 10_000 {
		t.Errorf("only %d lines were read: %v", lines, err)
	}
}
