package breaker

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bitville-apm/spoolfwd/breaker/statefile"
)

// HostID returns an identity of this host that stays the same from run to run: the machine id, or
// otherwise the identity that is kept in the state directory dir.
func HostID(dir string) (string, error) {
	if id := MachineID(); id != "" {
		return id, nil
	}
	return KeepHostID(dir)
}

// MachineID returns the id that systemd or D-Bus gave to this machine, or "" where there is none,
// as in most containers.
func MachineID() string {
	for _, path := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if data, err := os.ReadFile(path); err == nil {
			if id := strings.TrimSpace(string(data)); id != "" && id != "uninitialized" {
				return id
			}
		}
	}
	return ""
}

// KeepHostID returns the identity that is kept in the state directory dir, and makes one if there
// is none: 128 random bits. It outlives containers, whose host name changes with every start. If
// earlier runs used the host name as identity, it is kept, so that items which they sent have the
// same idempotency keys. Several processes that call it for the first time at once get the same. A
// file that holds no identity is set aside.
func KeepHostID(dir string) (string, error) {
	file := hostIDFile(dir)
	for range 3 {
		id, err := readHostID(file)
		if err == nil {
			return id, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			if !statefile.IsSpoiled(err) {
				return "", fmt.Errorf("host id %s: %w", file.Path, err)
			}
			if _, errAside := file.SetAside(); errAside != nil {
				return "", fmt.Errorf("host id %s: %w, and it cannot be set aside: %w", file.Path, err, errAside)
			}
		}
		id = newHostID(dir)
		errCreate := file.Create([]byte(id + "\n"))
		// Another process may have been faster, and may have swept the temporary file of this one.
		if id, err := readHostID(file); err == nil {
			return id, nil
		}
		if errCreate != nil && !errors.Is(errCreate, fs.ErrExist) {
			return "", fmt.Errorf("cannot keep a host id in %s: %w", file.Path, errCreate)
		}
	}
	return "", fmt.Errorf("host id %s %w", file.Path, ErrReplaced)
}

// PeekHostID returns the identity that is kept in dir, or "" if there is none. Nothing changes on
// disk.
func PeekHostID(dir string) string {
	id, err := readHostID(hostIDFile(dir))
	if err != nil {
		return ""
	}
	return id
}

// sweepHostID removes what killed calls of KeepHostID left behind. KeepHostID takes no lock, and a
// call under way looks the same. Once there is an identity, such a call needs its file no more.
func sweepHostID(dir string) {
	if PeekHostID(dir) != "" {
		hostIDFile(dir).Sweep()
	}
}

func hostIDFile(dir string) statefile.File {
	return statefile.File{Path: filepath.Join(dir, "host-id"), MaxSize: 200}
}

func readHostID(file statefile.File) (string, error) {
	data, err := file.Read()
	if err != nil {
		return "", err
	}
	id := strings.TrimSpace(string(data))
	return id, CheckHostID(id)
}

// CheckHostID judges an identity that somebody has chosen.
func CheckHostID(id string) error {
	notGraphic := func(r rune) bool { return r <= ' ' || r >= 0x7f }
	if id == "" || len(id) > 128 || strings.ContainsFunc(id, notGraphic) {
		return errors.New("not 1 to 128 printable ASCII characters without spaces")
	}
	return nil
}

func newHostID(dir string) string {
	entries, _ := os.ReadDir(dir) // what was read before an error counts
	isLock := func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), ".lock") }
	if slices.ContainsFunc(entries, isLock) {
		if name, err := os.Hostname(); err == nil && CheckHostID(name) == nil {
			return name
		}
	}
	random := make([]byte, 16)
	rand.Read(random) // never fails
	return hex.EncodeToString(random)
}
