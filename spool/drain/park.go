package drain

import (
	"maps"
	"slices"

	"github.com/bitville-apm/spoolfwd/spool"
)

// maxParked bounds how many items a parking remembers, at a byte each.
const maxParked = 1 << 20

// A parking keeps what the first turn of an array file has settled until the file's
// other turn, which its deferred items have at the end of the run. So a file is
// rewritten at most once in a run, and a crash in between repeats what the first
// turn delivered. It is guarded by the run's lock.
type parking struct {
	room  int // items that may still be parked
	files map[string]parked
}

// parked is what is known of one file.
type parked struct {
	entry   spool.Entry
	version spool.Version
	state   []itemState // nil: there was no room, and the file is rewritten already
	missed  bool        // its other turn has come, but the file was skipped, which has been told
}

// put parks a file, and reports whether it may be rewritten later. If not it must
// be now, and has no other turn in this run.
func (k *parking) put(f *file) bool {
	p := parked{entry: f.payload.Entry, version: f.payload.Version()}
	if len(f.state) <= k.room {
		p.state = f.state
		k.room -= len(f.state)
	}
	if k.files == nil {
		k.files = map[string]parked{}
	}
	k.files[f.payload.Name] = p
	return p.state != nil
}

// take returns what a file's first turn has settled and forgets it, provided that
// the payload is still the file that was parked.
func (k *parking) take(p *spool.Payload) (state []itemState, ok bool) {
	was := k.files[p.Name]
	if was.state == nil || was.version != p.Version() {
		return nil, false
	}
	k.forget(p.Name)
	return was.state, true
}

// miss notes that a file was skipped when its other turn came.
func (k *parking) miss(name string) {
	if p, found := k.files[name]; found {
		p.missed = true
		k.files[name] = p
	}
}

// forget drops what is known of a file, if anything is.
func (k *parking) forget(name string) {
	k.room += len(k.files[name].state)
	delete(k.files, name)
}

// park puts a file off whose turn is over if it has another one.
func (r *run) park(f *file) bool {
	left, shrunk := f.left()
	if !f.again || !shrunk || len(left) == 0 {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.parking.put(f)
}

// unpark begins the other turn of a file that was parked. There is no file when it
// has none: it is rewritten already, or is not the file it was.
func (r *run) unpark(p *spool.Payload) (f *file, parked bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, parked := r.parking.files[p.Name]; !parked {
		return nil, false
	}
	state, ok := r.parking.take(p)
	if !ok {
		return nil, true
	}
	return newFile(p, r.cfg.Index, true, state), true
}

// settleParked settles the files whose other turn never came, or could not be had.
func (r *run) settleParked() {
	for _, name := range slices.Sorted(maps.Keys(r.parking.files)) {
		was := r.parking.files[name]
		if was.state == nil {
			continue
		}
		p, err := r.cfg.Spool.Read(was.entry, r.now(), nil)
		switch {
		case err != nil:
			if !was.missed {
				r.unreadable(p, err)
			}
		case p.Version() != was.version:
			r.changed(p)
		default:
			r.settleFile(&file{payload: p, state: was.state})
		}
	}
}
