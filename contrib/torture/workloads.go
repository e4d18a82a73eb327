//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"strings"
	"time"
)

// workloads are those of the matrices. A workload sends few items: every system call of it is one
// round of a matrix, with each error.
func workloads() []workload {
	hourAgo := float64(time.Now().Add(-time.Hour).UnixMicro()) / 1e6
	return []workload{
		{name: "deliver", build: func(e *env) {
			e.object("buffer_1.5_00000001.json", item(1, "200"))
			e.array("buffer_2.5_00000002.json", item(2, "200"), item(3, "200"), item(4, "200"))
			e.object("profile_20240102_030405_00000003.json", item(5, "200"))
			e.array("buffer_3.5_00000004.json", item(6, "200"), item(6, "200"), item(7, "200"))
			e.file("buffer_4.5_00000005.json", "[]")
		}},
		{name: "reject", flags: []string{"--max-file-size", "300", "--failure-threshold", "50"}, breaker: []breakerState{closedAfter(1), closedAfter(2), closedAfter(0)}, build: func(e *env) {
			e.object("a.json", item(1, "400"))
			e.array("b.json", item(2, "200"), item(3, "400"), item(4, "200"))
			e.array("c.json", item(5, "400"))
			e.object("d.json", `{"cut off`)
			e.object("e.json", `{"pad":"`+strings.Repeat("x", 300)+`"}`)
			e.object("f.json", "")
			e.object("g.json", item(6, "200"))
		}},
		{name: "defer", flags: []string{"--failure-threshold", "50"}, breaker: []breakerState{closedAfter(1), closedAfter(0)}, build: func(e *env) {
			e.object("a.json", item(1, "500"))
			e.array("b.json", item(2, "200"), item(3, "500"), item(4, "200"))
			e.object("c.json", item(5, "200"))
		}},
		{name: "recover", breaker: []breakerState{closedAfter(2), closedAfter(0)}, build: func(e *env) {
			e.object("a.json", item(1, "500"))
			e.array("b.json", item(2, "200"), item(3, "500"), item(4, "500"))
			e.earlierRun("--failure-threshold", "50")
			e.endpoint.answers(always(200))
		}},
		{name: "deferred items", flags: []string{"--failure-threshold", "50"}, breaker: []breakerState{closedAfter(3), closedAfter(1), closedAfter(0)}, build: func(e *env) {
			e.array("a.json", item(1, "500"), item(2, "500"), item(3, "500"), item(4, "200"), item(5, "200"))
			e.earlierRun("--failure-threshold", "50", "--max-items", "3")
			e.endpoint.answers(func(body string) answer {
				switch body {
				case item(1, "500"):
					return answer{status: 200}
				case item(2, "500"):
					return answer{status: 400}
				}
				return answerAsAsked(body)
			})
			e.object("b.json", item(6, "200"))
		}},
		{name: "give up", flags: []string{"--failure-threshold", "50", "--max-attempts", "1"}, breaker: []breakerState{closedAfter(0), closedAfter(1)}, build: func(e *env) {
			e.object("a.json", item(1, "200"))
			e.object("b.json", item(2, "500"))
			e.array("c.json", item(3, "200"), item(4, "500"), item(5, "200"))
		}},
		{name: "open", flags: []string{"--failure-threshold", "2"}, breaker: []breakerState{closedAfter(0), closedAfter(1), openAfter(2)}, build: func(e *env) {
			e.array("a.json", item(1, "200"), item(2, "500"), item(3, "200"))
			e.object("b.json", item(4, "200"))
			e.object("c.json", item(5, "drop")) // after a failure, the youngest is next
		}},
		{name: "bad ahead", flags: []string{"--failure-threshold", "5"}, breaker: []breakerState{closedAfter(0), closedAfter(1), closedAfter(3), closedAfter(4), closedAfter(2)}, underFaults: []breakerState{openAfter(5)}, build: func(e *env) {
			for i := range 6 {
				e.object(fmt.Sprintf("a%d.json", i), item(i, "500"))
			}
			e.object("b.json", item(10, "200"))
			e.object("c.json", item(11, "200"))
		}},
		// The refused payload can only be moved to rejected/ when that is a directory again.
		{name: "no rejected", crashOnly: true, flags: []string{"--failure-threshold", "50"}, build: func(e *env) {
			e.occupyRejected()
			e.object("a.json", item(1, "422"))
			e.array("b.json", item(2, "200"), item(3, "422"), item(4, "200"))
			e.object("c.json", item(5, "200"))
		}},
		{name: "close", breaker: probing(closedAfter(0)), build: func(e *env) {
			e.writeState("open", 5, hourAgo)
			e.array("a.json", item(1, "200"), item(2, "200"))
			e.object("b.json", item(3, "200"))
		}},
		{name: "reopen", breaker: probing(openAfter(6)), underFaults: []breakerState{closedAfter(0), closedAfter(1), closedAfter(2)}, build: func(e *env) {
			e.writeState("open", 5, hourAgo)
			e.object("a.json", item(1, "500"))
			e.object("b.json", item(2, "500"))
		}},
		{name: "retry after", breaker: []breakerState{closedAfter(0), {"open", 1, 90 * time.Second}}, build: func(e *env) {
			e.array("a.json", item(1, "200"), item(2, "503"), item(3, "200"))
			e.object("b.json", item(4, "200"))
		}},
		{name: "sweep", build: func(e *env) {
			e.object("a.json", item(1, "200"))
			e.leaveTemporaries()
		}},
		{name: "undeletable", build: func(e *env) {
			e.object("a.json", item(1, "200"))
			e.array("b.json", item(2, "200"), item(3, "200"))
			e.leaveUndeletable("a.json")
			e.leaveUndeletable("b.json")
			e.object("c.json", item(4, "200"))
		}},
		{name: "limit", flags: []string{"--max-items", "3"}, build: func(e *env) {
			e.object("a.json", item(1, "200"))
			e.array("b.json", item(2, "200"), item(3, "200"), item(4, "200"), item(5, "200"))
		}},
		{name: "batch", flags: []string{"--batch-items", "3", "--failure-threshold", "50"}, inHand: 3, breaker: []breakerState{closedAfter(1), closedAfter(2), closedAfter(0)}, build: func(e *env) {
			e.endpoint.batch = "ndjson"
			e.batches()
		}},
		{name: "batch array", flags: []string{"--batch-items", "3", "--batch-format", "array", "--failure-threshold", "50"}, inHand: 3, breaker: []breakerState{closedAfter(1), closedAfter(2), closedAfter(0)}, build: func(e *env) {
			e.endpoint.batch = "array"
			e.batches()
		}},
		{name: "concurrent", concurrency: 4, inHand: 4, crashOnly: true, flags: []string{"--failure-threshold", "3"}, build: func(e *env) {
			for i := range 6 {
				e.object(fmt.Sprintf("a%d.json", i), item(i, "200"))
			}
			e.array("b.json", item(10, "200"), item(11, "200"), item(12, "400"), item(13, "200"), item(14, "500"))
			for i := range 6 {
				e.object(fmt.Sprintf("c%d.json", i), item(20+i, []string{"200", "500"}[i%2]))
			}
			e.array("d.json", item(30, "200"), item(31, "200"), item(32, "200"))
		}},
		{name: "put", command: []string{"put"}, build: func(e *env) { e.spooled.add(false, item(1, "200")) },
			stdin: item(1, "200")},
		{name: "put array", command: []string{"put", "--max-spool-files", "100", "--max-spool-bytes", "1MiB"}, build: func(e *env) {
			e.object("a.json", item(1, "200"))
			e.spooled.add(false, item(2, "200"), item(3, "200"))
		}, stdin: "[" + item(2, "200") + "," + item(3, "200") + "]"},
		{name: "retry", command: []string{"rejected", "retry", "--all"}, build: func(e *env) { e.leaveRejected() }},
		{name: "remove", command: []string{"rejected", "remove", "--all"}, build: func(e *env) {
			e.leaveRejected()
			e.spooled.mayBeGone(item(1, "400"), item(3, "400")) // asked for
		}},
		{name: "prune", flags: []string{"--rejected-max-bytes", "1"}, build: func(e *env) {
			e.leaveRejected()
			e.spooled.mayBeGone(item(1, "400"), item(3, "400"))
			e.object("c.json", item(5, "200"))
		}},
		{name: "expire", flags: []string{"--max-spool-files", "3"}, build: func(e *env) {
			e.object("a.json", item(1, "200"))
			e.array("b.json", item(2, "200"), item(3, "200"))
			e.object("c.json", item(4, "200"))
			e.array("d.json", item(5, "200"), item(6, "200"))
			e.object("e.json", item(7, "200"))
		}},
		{name: "trip", command: []string{"breaker", "trip", "--for", "1h"}, breaker: []breakerState{closedAfter(0), {"open", 0, time.Hour}}, build: func(e *env) {
			e.tripped = true
			e.object("a.json", item(1, "200"))
		}},
		{name: "reset", command: []string{"breaker", "reset"}, breaker: []breakerState{openAfter(5), closedAfter(0)}, build: func(e *env) {
			e.writeState("open", 5, hourAgo)
			e.object("a.json", item(1, "200"))
		}},
	}
}

// batches has items that fill batches, one that is refused and one that fails.
func (e *env) batches() {
	for i := range 4 {
		e.object(fmt.Sprintf("a%d.json", i), item(i, "200"))
	}
	e.array("b.json", item(10, "200"), item(11, "400"), item(12, "200"), item(13, "200"))
	e.object("c.json", item(20, "200"))
	e.object("d.json", item(21, "500"))
	e.object("e.json", item(22, "200"))
}
