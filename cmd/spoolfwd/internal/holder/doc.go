// Package holder finds out which processes hold a lock of flock(2) on a file or a directory.
//
// It reads what Linux tells everybody (proc_locks(5)) and never tries the lock: a run that started
// in that moment would find the lock held. It knows nothing of processes in other containers, of
// those that /proc hides, and on other systems. What it says is therefore good for messages, and
// "unknown" is an answer.
package holder

// Process is a process that holds a lock.
type Process struct {
	PID     int
	Command string // its name, at most 15 bytes; "" when the process is gone and a child of it holds the lock
}
