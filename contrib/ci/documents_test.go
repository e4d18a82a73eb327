package ci_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

const root = "../.."

// document is one Markdown file without its code blocks, which hold no links.
type document struct {
	path string
	text string
}

func documents(t *testing.T) []document {
	t.Helper()
	var all []document
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "dist"):
			return fs.SkipDir
		case filepath.Ext(path) != ".md":
			return nil
		}
		text, err := os.ReadFile(path)
		all = append(all, document{path, fencedCode.ReplaceAllString(string(text), "")})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var (
	fencedCode = regexp.MustCompile("(?ms)^```.*?^```$")
	inlineLink = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	linkTarget = regexp.MustCompile(`(?m)^\[[^\]]+\]: *(\S+)`)
	heading    = regexp.MustCompile(`(?m)^#+ +(.*)$`)
)

// links returns where the document points to, inside the repository.
func (d document) links() []string {
	var all []string
	for _, pattern := range []*regexp.Regexp{inlineLink, linkTarget} {
		for _, match := range pattern.FindAllStringSubmatch(d.text, -1) {
			if !strings.Contains(match[1], "://") {
				all = append(all, match[1])
			}
		}
	}
	return all
}

// anchors returns the names of the document's headings, as GitHub makes them.
func (d document) anchors() []string {
	var all []string
	for _, match := range heading.FindAllStringSubmatch(d.text, -1) {
		all = append(all, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, match[1]))
	}
	return all
}

func TestEveryLinkInTheDocumentsLeadsSomewhere(t *testing.T) {
	docs := documents(t)
	anchorsOf := map[string][]string{}
	for _, d := range docs {
		anchorsOf[d.path] = d.anchors()
	}
	checked := 0
	for _, d := range docs {
		for _, link := range d.links() {
			checked++
			file, anchor, _ := strings.Cut(link, "#")
			target := d.path
			if file != "" {
				target = filepath.Join(filepath.Dir(d.path), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which does not exist", d.path, link)
			} else if anchor != "" && !slices.Contains(anchorsOf[target], anchor) {
				t.Errorf("%s links to %s, a heading that does not exist", d.path, link)
			}
		}
	}
	if checked < 30 {
		t.Errorf("only %d links were found in %d documents: the search for links is broken", checked, len(docs))
	}
}

func TestTheREADMEIsReadInAFewMinutes(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	const most = 1200
	if words := len(strings.Fields(string(text))); words > most {
		t.Errorf("README.md has %d words, more than %d: details belong in contrib/doc", words, most)
	}
}
