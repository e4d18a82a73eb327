package spool

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"path"
	"strings"
)

// keyMark stands before the key in the name of a file that carries the key of its item:
// <stem>.key-<32 hex digits><extension>. A rejected item of an array file becomes a file of its own
// under such a name, so that it keeps its key when it is put back, whatever else is lost. Such a
// file is one item even when it holds an array, because the item was that array.
const keyMark = ".key-"

const keyDigits = 32

// Key derives the idempotency key of an item: 128 bits of SHA-256 over the host's identity, the
// name of the payload file, the item's bytes, and how many equal items follow it in the file.
//
// Equal items are counted from the end. The items of [a,a,a] count 2, 1, 0; when the first is
// delivered and the file is rewritten to [a,a], those that are left still count 1, 0 and keep their
// keys. That holds as long as equal items are delivered in file order: see [Item.NextEqual].
func Key(hostID, name string, body []byte, equalItemsAfter int) string {
	return finishKey(newHasher().sum(hostID, name, body), equalItemsAfter)
}

// hasher hashes what equal items of a file have in common. One is used for many items, since every
// item is hashed.
type hasher struct {
	hash.Hash
	head []byte
}

func newHasher() *hasher { return &hasher{Hash: sha256.New()} }

func (h *hasher) sum(hostID, name string, body []byte) (sum [sha256.Size]byte) {
	h.head = h.head[:0]
	for _, part := range []string{"spoolfwd item", hostID, name} {
		h.head = append(append(h.head, part...), 0) // names and ids hold no NUL
	}
	h.Reset()
	h.Write(h.head)
	h.Write(body)
	copy(sum[:], h.Sum(h.head[:0]))
	return sum
}

func finishKey(sum [sha256.Size]byte, equalItemsAfter int) string {
	if equalItemsAfter > 0 {
		n := uint64(equalItemsAfter)
		sum = sha256.Sum256(append(sum[:], byte(n>>24), byte(n>>16), byte(n>>8), byte(n)))
	}
	var key [keyDigits]byte // hex.EncodeToString would allocate twice
	hex.Encode(key[:], sum[:keyDigits/2])
	return string(key[:])
}

// fileKey is the key of a file that is one item.
func (s *Spool) fileKey(p *Payload) string {
	if _, key, _, ok := cutKey(p.Name); ok {
		return key
	}
	h, ok := s.hashers.Get().(*hasher)
	if !ok {
		h = newHasher()
	}
	defer s.hashers.Put(h)
	return finishKey(h.sum(s.cfg.HostID, p.Name, p.Data), 0)
}

// itemKeys sets the keys of an array file's items and links equal ones.
func (s *Spool) itemKeys(p *Payload) {
	type last struct{ index, count int32 }
	h := newHasher()
	seen := make(map[[keyDigits / 2]byte]last, len(p.Items)) // as much of the sums as keys hold
	for i := len(p.Items) - 1; i >= 0; i-- {
		it := &p.Items[i]
		sum := h.sum(s.cfg.HostID, p.Name, it.Body)
		it.NextEqual = -1
		equal := [keyDigits / 2]byte(sum[:])
		after, ok := seen[equal]
		if ok {
			it.NextEqual = int(after.index)
			after.count++
		}
		it.Key = finishKey(sum, int(after.count))
		seen[equal] = last{index: int32(i), count: after.count}
	}
}

// withKey names the file of a single item that was cut out of an array file.
func withKey(name, key string) string {
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + keyMark + key + ext
}

// isKeyed reports whether a name carries a key.
func isKeyed(name string) bool {
	_, _, _, ok := cutKey(name)
	return ok
}

// cutKey takes the key out of a name that carries one, at the end or before the extension. Where
// both are possible, it takes the one that withKey puts there.
func cutKey(name string) (stem, key, ext string, ok bool) {
	ext = path.Ext(name)
	if stem, key, ok = cutKeyAtEnd(strings.TrimSuffix(name, ext)); ok {
		return stem, key, ext, true
	}
	stem, key, ok = cutKeyAtEnd(name)
	return stem, key, "", ok
}

func cutKeyAtEnd(name string) (stem, key string, ok bool) {
	at := len(name) - len(keyMark) - keyDigits
	if at < 0 || name[at:][:len(keyMark)] != keyMark {
		return "", "", false
	}
	key = name[at+len(keyMark):]
	if _, err := hex.DecodeString(key); err != nil || strings.ToLower(key) != key {
		return "", "", false
	}
	return name[:at], key, true
}
