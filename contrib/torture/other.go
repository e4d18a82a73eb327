//go:build !linux || !(amd64 || arm64)

// Torture needs Linux on amd64 or arm64: it intercepts system calls.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "torture: not run: it needs Linux on amd64 or arm64")
	os.Exit(1)
}
