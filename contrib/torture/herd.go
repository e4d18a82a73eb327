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
	const runs, producers, each, turns = 50, 20, 5, 15
	w := t.newWorld("")
	defer w.end()
	w.endpoint.answers(func(body string) answer {
		a := obliging(body)
		a.delay = time.Millisecond
		return a
	})
	var number, busy, worked, started atomic.Int64
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
	for range runs {
		all.Go(func() {
			t.guard(r, func() {
				for {
					// Few items each, so that many of them get their turn.
					name := fmt.Sprint(started.Add(1))
					o, err := w.spoolfwd("run", "--retry-timeout", "1ms", "--max-items", "3", "--header", "X-Run: "+name).run()
					w.must(err)
					w.check(r, "herd", o)
					sent := w.endpoint.sent(name)
					if sent {
						worked.Add(1)
					}
					switch {
					case o.code == 0, o.code == 65, o.code == 69, o.code == 75 && sent: // 75: by its limit
					case o.code == 75:
						busy.Add(1)
						if o.stderr != "" {
							r.fail("herd: a run that finds another at work speaks of it\n%s", o.tell())
						}
						time.Sleep(20 * time.Millisecond) // or nobody gets the processor for work
					default:
						r.fail("herd: exit code %d\n%s", o.code, o.tell())
					}
					if closed(produced) && (worked.Load() >= turns || time.Since(w.began) > patience) {
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
	if n := w.oneAtATime(r); n < turns {
		r.fail("herd: only %d runs sent anything, and %d are to take turns", n, turns)
	} else {
		r.say("%d of %d runs sent something", n, started.Load())
	}
	s := w.takeStock()
	w.checkStock(r, "herd", s, 0)
	w.checkMemory(r, "herd: after it")
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
// run that has begun to send is the only one until its end. It returns how many
// of them sent something.
func (w *world) oneAtATime(r *result) int {
	sent := map[string]bool{}
	at, told := "", false
	for _, d := range w.endpoint.deliveries() {
		if d.run == at {
			continue
		}
		if sent[d.run] && !told {
			r.fail("run %s sent while run %s was at work", d.run, at)
			told = true
		}
		sent[d.run] = true
		at = d.run
	}
	return len(sent)
}
