//go:build linux && (amd64 || arm64)

package main

// scenario is one kind of fault.
type scenario struct {
	name   string
	proves string
	run    func(*torture, *result)
}

func scenarios() []scenario {
	return []scenario{
		{"crash", "killed before any system call, a command loses nothing, and the next run goes on from there", crashMatrix},
		{"fault", "a system call that fails, once or always, is reported with an exit code, and causes no loss, hang or panic", faultMatrix},
		{"stream-crash", "killed before any system call, a run that publishes into a stream loses nothing, and no item is there twice", streamCrash},
		{"stream-fault", "a system call that fails in such a run causes no loss, hang or panic, and no item is there twice", streamFault},
		{"stream-power", "what three servers of a stream acknowledged survives a power cut of all of them, if they sync always", streamPower},
		{"mutate", "a payload file that another program changes between any two calls of a run is not lost", mutateMatrix},
		{"power-ext4", "payloads that put has named, or that were not delivered, survive a power cut on ext4", powerCut("ext4")},
		{"power-xfs", "payloads that put has named, or that were not delivered, survive a power cut on XFS", powerCut("xfs")},
		{"disk-full", "on a full disk deliveries go on, and put refuses cleanly", diskFull},
		{"concurrent", "of fifty runs at once one drains at a time, and nothing is sent twice", concurrentRuns},
		{"lock-cleaner", "a program that deletes the lock file under four runs loses nothing", lockCleaner},
		{"everything", "under all faults at once no payload is lost, and no good one is rejected", everything},
		{"sigterm", "a run that is told to end finishes its requests: no item is sent twice", sigterm},
		{"stopped", "a run that is stopped keeps its lock, and others do not wait for it", stoppedHolder},
	}
}
