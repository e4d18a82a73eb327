package drain_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// On a full disk an array file of which an item fails can neither be rewritten, nor can the index
// note which of its items were delivered. Each removal makes room for both. Only where nothing can
// be removed in a run do the good items of such a file come again in the next one.
func TestOnAFullDiskItemsComeAgainOnlyWhileNothingCanBeRemoved(t *testing.T) {
	need.Root(t, "mount a small disk")
	const mixed = `[{"bad":1},{"good":1},{"good":2}]`
	for _, test := range []struct {
		name  string
		spool func(w *world)
		want  int // requests with a good item of the mixed array file in the next run
	}{
		{"others are delivered after it", func(w *world) {
			w.write("mixed.json", mixed, 2*time.Hour)
			w.writeMany("other", 3, time.Hour)
		}, 0},
		{"others are delivered before it", func(w *world) {
			w.write("mixed.json", mixed, time.Hour)
			w.writeMany("other", 3, 2*time.Hour)
		}, 0},
		{"it is alone", func(w *world) { w.write("mixed.json", mixed, time.Hour) }, 2},
	} {
		t.Run("when "+test.name, func(t *testing.T) {
			disk := t.TempDir()
			if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err != nil {
				need.Refused(t, "cannot mount a small disk: %v", err)
			}
			t.Cleanup(func() { unix.Unmount(disk, unix.MNT_DETACH) })
			w := newWorldIn(t, disk)
			w.unsaved = true
			w.listener.answer = poison
			test.spool(w)
			fill(t, filepath.Join(disk, "ballast"))
			w.run()
			first := map[string]string{}
			for _, r := range w.listener.got {
				first[string(r.Body)] = r.Key
			}
			w.listener.bodies()
			w.now = w.now.Add(2 * time.Minute)
			w.run()
			again := 0
			for _, r := range w.listener.got {
				if first[string(r.Body)] != r.Key {
					t.Errorf("%s came again under another key", r.Body)
				}
				if r.Body[2] == 'g' {
					again++
				}
			}
			equal(t, "good items that came again", again, test.want)
			if err := os.Remove(filepath.Join(disk, "ballast")); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				w.listener.bodies()
				w.now = w.now.Add(2 * time.Minute)
				w.run()
			}
			equal(t, "the file once there is room", w.read("mixed.json"), `[{"bad":1}]`)
			for _, body := range w.listener.bodies() {
				equal(t, "sent once there is room and a run has used it", body, `{"bad":1}`)
			}
		})
	}
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}
