//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A counter counts an event in the processes that this thread starts, each from its exec to its
// end, as perf-stat(1) does (perf_event_open(2)). The calling goroutine must be locked to its
// thread.
type counter struct {
	fd   int
	last uint64
}

// countInstructions counts the instructions of the programs and of the kernel on their behalf. Most
// virtual machines have no counters for that.
func countInstructions() (*counter, error) {
	c, err := countEvents(unix.PERF_TYPE_HARDWARE, unix.PERF_COUNT_HW_INSTRUCTIONS)
	if err != nil {
		return nil, fmt.Errorf("no hardware counters here (%w)", err)
	}
	return c, nil
}

func countEvents(kind uint32, event uint64) (*counter, error) {
	attr := unix.PerfEventAttr{
		Type: kind, Config: event, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		Bits: unix.PerfBitDisabled | unix.PerfBitEnableOnExec | unix.PerfBitInherit,
	}
	fd, err := unix.PerfEventOpen(&attr, 0, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("perf_event_open: %w", err)
	}
	return &counter{fd: fd}, nil
}

// sinceLast is the count of the processes that have ended since the last call.
func (c *counter) sinceLast() (uint64, error) {
	var count [8]byte
	if _, err := unix.Read(c.fd, count[:]); err != nil {
		return 0, fmt.Errorf("perf_event_open: read: %w", err)
	}
	total := binary.NativeEndian.Uint64(count[:])
	since := total - c.last
	c.last = total
	return since, nil
}

func (c *counter) close() { unix.Close(c.fd) }
