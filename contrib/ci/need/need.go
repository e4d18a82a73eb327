// Package need says what a test needs of the machine it runs on, and ends the test where that is
// missing. Only tests import it.
//
// A missing program fails a test in CI (CI=true), because CI installs them all, and so does a right
// that root of CI's machine has. Anywhere else, and for rights that an ordinary user does not have,
// the test is skipped. `make test` lists skipped tests with their reasons at its end.
package need

import (
	"os"
	"os/exec"
	"testing"
)

// Program returns the path of an installed program. The Debian package is named in the reason when
// it differs from the program.
func Program(t testing.TB, program string, debianPackage ...string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		reason := program + " is not installed"
		if len(debianPackage) > 0 {
			reason += " (Debian's package " + debianPackage[0] + ")"
		}
		Installed(t, reason)
	}
	return path
}

// Installed ends a test for the lack of something that CI installs.
func Installed(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// Root skips a test that only root can run; why completes "only root can ...".
func Root(t testing.TB, why string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can " + why)
	}
}

// Refused ends a test to which the system refused what it grants to root of the machine that CI
// runs on: a mount, a file attribute, another user. It fails there and skips anywhere else.
func Refused(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" && os.Geteuid() == 0 {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
