package spool

import (
	"encoding/json"
)

// An Item is one JSON value that becomes one POST body.
type Item struct {
	// Body is sent as it is. It aliases Payload.Data.
	Body []byte
	// Key is the item's idempotency key: the same in every attempt, run and
	// crash, and another for an equal item. See [Key].
	Key string
	// NextEqual is the index of the next item of the file with the same bytes, or
	// -1. Equal items are delivered in file order, and none overtakes a failed
	// one: see [Key].
	NextEqual int
}

// split finds the items of p.Data and their keys.
func (s *Spool) split(p *Payload) error {
	start := 0
	if !s.cfg.Raw {
		if !json.Valid(p.Data) {
			return &RefuseError{Name: p.Name, Err: errNotJSON}
		}
		for isSpace(p.Data[start]) {
			start++
		}
	}
	if s.cfg.Raw || s.cfg.Whole || p.Data[start] != '[' || isKeyed(p.Name) {
		p.one[0] = Item{Body: p.Data, Key: s.fileKey(p), NextEqual: -1}
		p.Items = p.one[:]
		return nil
	}
	items := elements(p.Data[start:], maxFileItems+1)
	if len(items) > maxFileItems {
		return &RefuseError{Name: p.Name, Err: &TooManyItemsError{maxFileItems}}
	}
	p.Array, p.Items = true, items
	s.itemKeys(p)
	return nil
}

// maxFileItems bounds the items of an array file. Each costs a key and a record
// beside its bytes: 16 MiB of [0,0,0... would take two gigabytes of memory.
const maxFileItems = 1 << 17

// elements cuts a valid JSON array into its elements. Being valid already, only
// strings and nesting matter (RFC 8259, section 2). It stops at most items.
func elements(array []byte, most int) []Item {
	var items []Item
	depth, from := 0, -1
	for i := 0; i < len(array); i++ {
		switch c := array[i]; c {
		case '"':
			if depth == 1 && from < 0 {
				from = i
			}
			for i++; array[i] != '"'; i++ {
				if array[i] == '\\' {
					i++
				}
			}
		case '[', '{':
			if depth == 1 && from < 0 {
				from = i
			}
			depth++
		case ']', '}', ',':
			if c != ',' {
				depth--
			}
			if ends := c == ',' && depth == 1 || depth == 0; ends && from >= 0 {
				items = append(items, Item{Body: trimRight(array[from:i])})
				from = -1
			}
			if depth == 0 || len(items) == most {
				return items
			}
		default:
			if depth == 1 && from < 0 && !isSpace(c) {
				from = i
			}
		}
	}
	return items
}

func trimRight(b []byte) []byte {
	for isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
