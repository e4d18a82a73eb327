package spool

// An Item is one JSON value that becomes one POST body.
type Item struct {
	// Body is sent as it is. It aliases Payload.Data.
	Body []byte
	// Key is the item's idempotency key: the same in every attempt, run and crash, and another for
	// an equal item. See [Key].
	Key string
	// NextEqual is the index of the next item of the file with the same bytes, or
	// -1. Equal items are delivered in file order, and none overtakes a failed
	// one: see [Key].
	NextEqual int
}

// split finds the items of p.Data and their keys.
func (s *Spool) split(p *Payload) error {
	if s.cfg.Raw {
		s.oneItem(p)
		return nil
	}
	sc := jsonScanner{data: p.Data}
	if !s.cfg.Whole && !isKeyed(p.Name) {
		sc.most = maxFileItems
	}
	switch {
	case !sc.scan():
		return &RefuseError{Name: p.Name, Err: sc.problem()}
	case len(sc.items) > maxFileItems:
		return &RefuseError{Name: p.Name, Err: &TooManyItemsError{maxFileItems}}
	case sc.most == 0 || !sc.array:
		s.oneItem(p)
	default:
		p.Array, p.Items = true, sc.items
		s.itemKeys(p)
	}
	return nil
}

// oneItem makes the whole file one item.
func (s *Spool) oneItem(p *Payload) {
	p.one[0] = Item{Body: p.Data, Key: s.fileKey(p), NextEqual: -1}
	p.Items = p.one[:]
}

// maxFileItems bounds the items of an array file. Each costs a key and a record beside its bytes:
// 16 MiB of [0,0,0... would take two gigabytes of memory.
const maxFileItems = 1 << 17
