//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// herd starts 50 runs at once, again and again, while 20 producers spool and
// another program rewrites the breaker's state: one run drains at a time, and
// nothing is sent twice.
func herd(t *torture, r *result) {
	for i := range t.rounds(3, 10) {
		t.guard(r, func() { t.herdRound(r, t.random(i)) })
	}
}

func (t *torture) herdRound(r *result, random *rand.Rand) {
	const runs, producers, each = 50, 20, 5
	w := t.newWorld("")
	defer w.end()
	w.endpoint.answers(func(body string) answer {
		a := obliging(body)
		a.delay = time.Millisecond
		return a
	})
	var number, busy atomic.Int64
	var producing, all sync.WaitGroup
	for range producers {
		hand := rand.New(rand.NewPCG(random.Uint64(), 0))
		producing.Go(func() { t.guard(r, func() { w.produce(&number, hand, each) }) })
	}
	produced := make(chan struct{})
	all.Go(func() { producing.Wait(); close(produced) })
	all.Go(func() {
		t.guard(r, func() {
			for !closed(produced) {
				w.writeState("closed", int(number.Load()%3), 0)
				time.Sleep(time.Millisecond)
			}
		})
	})
	for n := range runs {
		all.Go(func() {
			t.guard(r, func() {
				for {
					o, err := w.spoolfwd("run", "--retry-timeout", "1ms", "--header", fmt.Sprintf("X-Run: %d", n)).run()
					w.must(err)
					w.check(r, "herd", o)
					switch o.code {
					case 0, 65, 69:
					case 75:
						busy.Add(1)
						if o.stderr != "" {
							r.fail("herd: a run that finds another at work speaks of it\n%s", o.tell())
						}
					default:
						r.fail("herd: exit code %d\n%s", o.code, o.tell())
					}
					if closed(produced) {
						return
					}
				}
			})
		})
	}
	all.Wait()
	r.round(runs)
	if busy.Load() == 0 {
		r.fail("herd: no run ever found another at work")
	}
	w.oneAtATime(r)
	s := w.takeStock()
	w.checkStock(r, "herd", s, 0)
	w.goOn(r, "herd", 0)
}

// produce spools payloads as producers do: by put, and by rename.
func (w *world) produce(number *atomic.Int64, hand *rand.Rand, n int) {
	for range n {
		body := does(int(number.Add(1)), []string{"200", "200", "200", "400", "500"}[hand.IntN(5)])
		if hand.IntN(2) == 0 {
			w.making.Lock()
			w.object(fmt.Sprintf("buffer_%d.json", number.Load()*1000+int64(hand.IntN(1000))), body)
			w.making.Unlock()
			continue
		}
		w.books.enter(true, body)
		p := w.spoolfwd("put")
		p.stdin = strings.NewReader(body)
		o, err := p.run()
		w.must(err)
		if o.code != 0 {
			w.must(fmt.Errorf("put failed: %s", o.tell()))
		}
	}
}

// oneAtATime checks that the requests of different processes never alternate: a
// run that has begun to send is the only one until its end.
func (w *world) oneAtATime(r *result) {
	over := map[string]bool{}
	at := ""
	for _, d := range w.endpoint.deliveries() {
		if d.run == at {
			continue
		}
		if over[d.run] {
			r.fail("run %s sent while run %s was at work", d.run, at)
			return
		}
		over[at] = true
		at = d.run
	}
}
