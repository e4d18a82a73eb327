package spool_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/spool"
)

// stepsIn hands a directory down to the traced process.
const stepsIn = "SPOOL_TEST_STEPS"

// The state after a crash or a power cut depends on nothing but the order of these system calls.
func TestTheOrderOfStepsThatSurvivesAPowerCut(t *testing.T) {
	const (
		lookAgain = "newfstatat x.json"
		temp      = ".spoolfwd-X.tmp"
	)
	for _, tt := range []struct {
		name string
		act  func(t *testing.T, s *spool.Spool)
		want []string
	}{
		{"Put", func(t *testing.T, s *spool.Spool) {
			_, err := s.Put(spool.PutConfig{}, noon, strings.NewReader("{}"))
			must(t, err)
		}, []string{
			"write .spoolput-X.tmp", "fsync .spoolput-X.tmp", "renameat2 .spoolput-X.tmp put_20261122T120000.000000000Z_X.json", "fsync spool",
		}},
		{"Rewrite", func(t *testing.T, s *spool.Spool) {
			must(t, s.Rewrite(read(t, s, "x.json"), []int{1}))
		}, []string{
			"write " + temp, "fsync " + temp, lookAgain, "renameat " + temp + " x.json", lookAgain,
		}},
		{"Remove", func(t *testing.T, s *spool.Spool) {
			must(t, s.Remove(read(t, s, "x.json")))
			must(t, s.Sync())
		}, []string{lookAgain, "unlinkat x.json", "fsync spool"}},
		{"Reject", func(t *testing.T, s *spool.Spool) {
			must(t, s.Reject(read(t, s, "x.json"), because()))
		}, []string{
			lookAgain, lookAgain, // the second finds the name free in rejected/
			"write " + temp, "fsync " + temp, "renameat " + temp + " x.json.reason.json",
			lookAgain, "renameat2 x.json x.json", "fsync rejected", "fsync spool",
		}},
		{"RejectItem", func(t *testing.T, s *spool.Spool) {
			must(t, s.RejectItem(read(t, s, "x.json"), 0, because()))
		}, []string{
			"newfstatat x.key-X.json", // nothing is there yet
			"write " + temp, "fsync " + temp, "renameat " + temp + " x.key-X.json.reason.json",
			"write " + temp, "fsync " + temp, "renameat2 " + temp + " x.key-X.json", "fsync rejected", "fsync spool",
		}},
		{"Retry", func(t *testing.T, s *spool.Spool) {
			_, err := retry(s, spool.Rejected{Name: "old.json"})
			must(t, err)
		}, []string{
			"renameat2 old.json old.json", "fsync rejected", "fsync spool", "unlinkat old.json.reason.json",
		}},
		{"Preflight", func(t *testing.T, s *spool.Spool) { must(t, s.Preflight()) }, []string{"unlinkat " + temp}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if dir := os.Getenv(stepsIn); dir != "" {
				s, _ := newSpool(t, spool.Config{Dir: dir})
				tt.act(t, s)
				return
			}
			dir := filepath.Join(t.TempDir(), "spool")
			must(t, os.MkdirAll(filepath.Join(dir, "rejected"), 0o700))
			write(t, dir, "x.json", `[1,2]`, 0)
			write(t, dir, "rejected/old.json", `{}`, 0)
			write(t, dir, "rejected/old.json.reason.json", `{"file":"old.json"}`, 0)
			trace := strace(t, stepsIn+"="+dir, "-y", "-e", "trace=write,fsync,newfstatat,rename,renameat,renameat2,link,linkat,unlink,unlinkat")
			if got := steps(trace, dir); !slices.Equal(got, tt.want) {
				t.Errorf("steps:\n%s\nwant:\n%s\ntrace:\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"), trace)
			}
		})
	}
}

var (
	tracedCall = regexp.MustCompile(`^\d+ +(\w+)\((.*)\) += 0|^\d+ +(write|newfstatat)\((.*)\) +=`)
	tracedFD   = regexp.MustCompile(`^\d+<([^>]*)>`)
	tracedName = regexp.MustCompile(`"([^"]*)"`)
	digits     = regexp.MustCompile(`[0-9a-f]{16,32}|_[0-9a-f]{8}\.`)
)

// steps turns a trace into lines of one call and the names it works on.
func steps(trace, dir string) (steps []string) {
	begun := map[string]string{} // calls by thread, while another thread was seen
	for line := range strings.Lines(trace) {
		thread, rest, _ := strings.Cut(line, " ")
		if start, cut := strings.CutSuffix(line, " <unfinished ...>\n"); cut {
			begun[thread] = start
			continue
		}
		if strings.HasPrefix(strings.TrimSpace(rest), "<... ") {
			_, end, _ := strings.Cut(rest, " resumed>")
			line = begun[thread] + end
		}
		m := tracedCall.FindStringSubmatch(line)
		if m == nil || !strings.Contains(line, dir) {
			continue
		}
		call, args := m[1]+m[3], m[2]+m[4]
		step := call
		if call == "fsync" || call == "write" {
			step += " " + filepath.Base(tracedFD.FindStringSubmatch(args)[1])
		} else {
			for _, name := range tracedName.FindAllStringSubmatch(args, -1) {
				step += " " + name[1]
			}
		}
		step = digits.ReplaceAllStringFunc(step, func(s string) string {
			if s[0] == '_' {
				return "_X."
			}
			return "X"
		})
		steps = append(steps, step)
	}
	return steps
}

// A producer replaces the file while a new one, or a reason, is being written to the disk; that is
// slow, and made slower here. The last look must come after it.
func TestAReplacementDuringTheWriteToTheDiskIsSeen(t *testing.T) {
	for _, tt := range []struct {
		name string
		act  func(s *spool.Spool, p *spool.Payload) error
	}{
		{"Rewrite", func(s *spool.Spool, p *spool.Payload) error { return s.Rewrite(p, []int{1}) }},
		{"Reject", func(s *spool.Spool, p *spool.Payload) error { return s.Reject(p, because()) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if dir := os.Getenv(stepsIn); dir != "" {
				s, _ := newSpool(t, spool.Config{Dir: dir})
				if err := tt.act(s, read(t, s, "x.json")); !errors.Is(err, spool.ErrChanged) {
					t.Errorf("the replacement was not seen: %v", err)
				}
				return
			}
			dir := t.TempDir()
			write(t, dir, "x.json", `[1,2]`, 0)
			write(t, dir, ".new", `["new"]`, 0)
			replaced := make(chan error, 1)
			go func() { replaced <- replaceDuringWrite(t.Context(), dir) }()
			strace(t, stepsIn+"="+dir, "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=500000")
			must(t, <-replaced)
			if got := content(t, dir, "x.json"); got != `["new"]` {
				t.Errorf("the replacement became %q", got)
			}
			got := slices.DeleteFunc(snapshot(t, dir), func(s string) bool { return strings.HasPrefix(s, ". ") || strings.HasPrefix(s, "rejected ") })
			wantNames(t, "the spool", got, `x.json ---------- ["new"]`)
		})
	}
}

// replaceDuringWrite waits for a temporary file to appear and then replaces the payload file.
func replaceDuringWrite(ctx context.Context, dir string) error {
	for ctx.Err() == nil {
		if found, _ := filepath.Glob(filepath.Join(dir, spool.TempPrefix+"*")); len(found) > 0 {
			return os.Rename(filepath.Join(dir, ".new"), filepath.Join(dir, "x.json"))
		}
	}
	return errors.New("no temporary file appeared")
}
