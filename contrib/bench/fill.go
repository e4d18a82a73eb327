//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/sys/unix"
)

// numberAt is where a payload's number stands in it, in numberDigits digits.
const (
	payloadStart = `{"n":"`
	numberAt     = len(payloadStart)
	numberDigits = 10
	payloadRest  = `","url":"/checkout","text":"`
	payloadEnd   = `"}`
	minPayload   = numberAt + numberDigits + len(payloadRest) + len(payloadEnd)
)

// fill puts n payload files into the spool, the first the oldest, a thousand a
// second. They are named as the PHP producers name theirs, so names tell the age to
// the second only, and the file system keeps them in an order of its own.
func (b *bench) fill(n int) error {
	dir, err := unix.Open(b.spool, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	random := rand.New(rand.NewPCG(uint64(n), 0)) // the same names for every contender
	body := payload(b.size)
	var name []byte
	start := time.Unix(1_700_000_000, 0)
	for i := range n {
		written := start.Add(time.Duration(i) * time.Millisecond)
		name = written.AppendFormat(name[:0], "profile_20060102_150405_")
		name = fmt.Appendf(name, "%08x.json", random.Uint32())
		number(body, i)
		age := unix.NsecToTimespec(written.UnixNano())
		if err := create(dir, string(name), body, []unix.Timespec{age, age}); err != nil {
			return fmt.Errorf("filling the spool: %w", err)
		}
	}
	return b.settle()
}

func create(dir int, name string, body []byte, times []unix.Timespec) error {
	fd, err := unix.Openat(dir, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, body); err != nil {
		return err
	}
	return unix.UtimesNanoAt(dir, name, times, 0)
}

// payload is a JSON object of so many bytes.
func payload(size int) []byte {
	body := make([]byte, 0, size)
	body = append(body, payloadStart...)
	body = append(body, make([]byte, numberDigits)...)
	body = append(body, payloadRest...)
	const text = "App Controller Order index SELECT * FROM orders WHERE id = 42; "
	for i := 0; len(body) < size-len(payloadEnd); i++ {
		body = append(body, text[i%len(text)])
	}
	return append(body, payloadEnd...)
}

// number writes a payload's number into it.
func number(body []byte, n int) {
	for i := numberAt + numberDigits - 1; i >= numberAt; i-- {
		body[i] = byte('0' + n%10)
		n /= 10
	}
}
