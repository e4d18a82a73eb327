//go:build !linux

// Bench needs Linux: it mounts a file system and reads /proc.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: not run: it needs Linux")
	os.Exit(1)
}
