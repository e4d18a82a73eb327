package drain

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

// What a run remembers of files must not grow with them. One for which there is no
// room has its second turn in the next run, for it must not be rewritten twice.
func TestAFullParkingTakesTheSecondTurn(t *testing.T) {
	dir := t.TempDir()
	s, err := spool.Open(spool.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	first := func(name string) *file {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(`[1,2]`), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := s.Read(spool.Entry{Name: name}, time.Now(), nil)
		if err != nil {
			t.Fatal(err)
		}
		f := newFile(p, &Index{}, false, nil)
		f.again = true
		f.land(f.take(), delivered)
		return f
	}
	r := &run{cfg: Config{Index: &Index{}}, parking: parking{room: 3}}
	a, b := first("a.json"), first("b.json")
	if !r.park(a) || r.park(b) {
		t.Fatalf("a room of 3 does not hold just one of two files of two items: %v", r.parking.files)
	}
	if f, parked := r.unpark(b.payload); f != nil || !parked {
		t.Errorf("the file that was rewritten has another turn: %v, %v", f, parked)
	}
	f, parked := r.unpark(a.payload)
	if !parked || f == nil || f.state[0] != delivered || f.ready() {
		t.Errorf("the file that was parked comes back as %+v, %v", f, parked)
	}
	if !r.park(first("c.json")) {
		t.Error("the room of a file that is back is not free")
	}
	if f, parked := r.unpark(first("d.json").payload); f != nil || parked {
		t.Errorf("a file that was never parked comes back: %v, %v", f, parked)
	}
}
