//go:build linux

package main

import (
	"fmt"

	"github.com/bitville-apm/spoolfwd/spool"
)

// batchItems is how many items are in a request where there are many.
const batchItems = 100

// contender is one way to empty the spool, or a part of that.
type contender struct {
	name  string
	sends bool // into the listener
	batch bool
	run   func(url string) error
	looks func(entries spool.Entries) error // instead: leaves the payload files where they are
}

func (b *bench) contenders() []contender {
	all := []contender{
		{name: "scan", looks: func(spool.Entries) error { return b.scan() }},
		{name: "os.ReadDir and Info", looks: func(spool.Entries) error { return b.readDir() }},
		{name: "read", looks: b.read},
		{name: "os.ReadFile", looks: b.readFile},
	}
	for _, n := range []int{1, 4, 16} {
		all = append(all, contender{name: fmt.Sprintf("spoolfwd x%d", n), sends: true,
			run: func(url string) error { return b.ours(url, n, 1) }})
	}
	all = append(all, contender{name: "spoolfwd x4, batches of 100", sends: true, batch: true,
		run: func(url string) error { return b.ours(url, 4, batchItems) }})
	for _, n := range []int{1, 4, 16} {
		all = append(all, contender{name: fmt.Sprintf("net/http loop x%d", n), sends: true,
			run: func(url string) error { return b.plain(url, n) }})
	}
	all = append(all, contender{name: "by hand x4", sends: true,
		run: func(url string) error { return b.byHand(url, 4) }})
	for _, n := range []int{1, 4} {
		all = append(all, contender{name: fmt.Sprintf("file system alone x%d", n),
			run: func(string) error { return b.fileSystemAlone(n) }})
	}
	return all
}

// quantity is what of two turns is compared.
type quantity int

const (
	perSecond   quantity = iota // payloads per second
	cpuTimeUsed                 // of this process, per payload
)

// comparison is one ratio and what it should be; want 0 is for information.
type comparison struct {
	text          string
	what          quantity
	over, under   string // contenders
	want          float64
	lowerIsBetter bool
}

func comparisons() []comparison {
	return []comparison{
		{text: "one POST per item, default concurrency, to the net/http loop x16", over: "spoolfwd x4", under: "net/http loop x16", want: 1},
		{text: "one POST per item, default concurrency, to HTTP by hand x4", over: "spoolfwd x4", under: "by hand x4", want: 0.75},
		{text: "batches of 100 to one POST per item", over: "spoolfwd x4, batches of 100", under: "spoolfwd x4", want: 3},
		{text: "batches of 100 to the file system alone", over: "spoolfwd x4, batches of 100", under: "file system alone x1", want: 0.6},
		{text: "CPU per payload, default concurrency, to the net/http loop x4", what: cpuTimeUsed, over: "spoolfwd x4", under: "net/http loop x4", want: 1.05, lowerIsBetter: true},
		{text: "CPU per payload, default concurrency, to the net/http loop x16", what: cpuTimeUsed, over: "spoolfwd x4", under: "net/http loop x16", want: 1.05, lowerIsBetter: true},
		{text: "scan, in order of age, to os.ReadDir and Info, in none", over: "scan", under: "os.ReadDir and Info"},
		{text: "read, check and key to os.ReadFile", over: "read", under: "os.ReadFile"},
		{text: "concurrency 1 to the net/http loop x1", over: "spoolfwd x1", under: "net/http loop x1"},
		{text: "concurrency 16 to the net/http loop x16", over: "spoolfwd x16", under: "net/http loop x16"},
		{text: "CPU per payload, default concurrency, to HTTP by hand x4", what: cpuTimeUsed, over: "spoolfwd x4", under: "by hand x4", lowerIsBetter: true},
		{text: "batches of 100 to the file system alone x4", over: "spoolfwd x4, batches of 100", under: "file system alone x4"},
	}
}
