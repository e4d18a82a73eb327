//go:build linux && (amd64 || arm64)

package main

// scenario is one kind of bad day.
type scenario struct {
	name   string
	proves string
	run    func(*torture, *result)
}

// scenarios is the table of all there are.
func scenarios() []scenario {
	return []scenario{
		{"crash", "killed before any system call whatever, a run, a put or a retry loses nothing and the next run goes on", crashMatrix},
		{"fault", "a system call that fails, once or always, ends in a sentence and an exit code, and never in a loss, a hang or a panic", faultMatrix},
		{"mutate", "a payload file that grows, shrinks, vanishes, is replaced or overwritten between any two calls of a run is never lost", mutateMatrix},
		{"spool", "links, devices, odd names and strangers' files in the spool are neither followed, waited for, printed raw nor lost", hostileSpool},
		{"power-ext4", "what put has named and what was not delivered survives a power cut on ext4", powerCut("ext4")},
		{"power-xfs", "what put has named and what was not delivered survives a power cut on XFS", powerCut("xfs")},
		{"disk-full", "on a full disk deliveries go on and put refuses cleanly", diskFull},
		{"read-only", "what cannot be removed is not sent, and a breaker that cannot remember does not hammer", readOnly},
		{"listener", "whatever a listener does, a run ends in time, takes little memory, loses nothing and writes nothing raw on a terminal", hostileListener},
		{"names", "a listener's dead address, or a name that stops resolving, costs time and nothing else", unsteadyNames},
		{"herd", "of fifty runs at once one drains at a time, while others spool and rewrite the state; nothing is sent twice", herd},
		{"sigterm", "a run that is told to end lets its requests end: not one item is sent twice", sigtermStorm},
		{"stopped", "a run that is stopped keeps its lock, and others do not wait for it", stoppedHolder},
		{"lock-cleaner", "a lock file that somebody deletes loses nothing", lockCleaner},
		{"leaks", "descriptors, threads and memory stay flat over ten thousand payloads", leaks},
		{"haystack", "a hundred thousand entries that are no payload files do not hide the ten that are", haystack},
	}
}
