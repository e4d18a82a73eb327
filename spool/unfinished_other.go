//go:build unix && !linux

package spool

import "time"

// isLocal says no: nothing that asks matters here.
func isLocal(fd int) bool { return false }

// isOurs says no, which says nothing.
func isOurs(fd int) bool { return false }

// isOpenForWriting says no: nothing tells it here.
func isOpenForWriting(fd int) bool { return false }

// madeAt says nothing: each of these systems keeps it in another place.
func madeAt(fd int) (made time.Time, ok bool) { return time.Time{}, false }
