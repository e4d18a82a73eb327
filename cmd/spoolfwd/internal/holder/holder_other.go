//go:build !linux

package holder

// Command returns the name of this process.
func Command() string { return "" }

// Of knows of no process on this system.
func Of(string) []Process { return nil }
