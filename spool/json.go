package spool

import "strings"

// A jsonScanner checks that bytes are one JSON value (RFC 8259) and finds the elements of an
// outermost array on the way: every payload is read once instead of twice. It takes what
// encoding/json.Valid takes, without its limit of 10,000 levels, since nothing here is recursive.
type jsonScanner struct {
	data    []byte
	at      int    // of the next byte
	closers []byte // what closes each array and object that is open
	begin   int    // of the element that is being read
	array   bool   // the value is an array
	items   []Item
	most    int // elements to be found; 0: none is looked for
}

// An expectation is what may come next.
type expectation int

const (
	aValue         expectation = iota
	aValueOrCloser             // after [
	aKey                       // after , in an object
	aKeyOrCloser               // after {
	whatFollows                // after a value: a comma, a closer, or the end
)

// scan reports whether the bytes are one JSON value, and how many elements of an array were found.
// Where they are not, at is the byte that does not belong there. It gives up behind most elements.
func (sc *jsonScanner) scan() bool {
	next := aValue
	for {
		sc.skipSpace()
		if sc.at == len(sc.data) {
			return next == whatFollows && len(sc.closers) == 0
		}
		c := sc.data[sc.at]
		switch {
		case next == whatFollows && len(sc.closers) == 0:
			return false // something behind the value
		case next != aValue && next != aKey && c == sc.closer():
			sc.closers = sc.closers[:len(sc.closers)-1]
			sc.at++
			next = sc.ended()
		case next == whatFollows:
			if c != ',' {
				return false
			}
			sc.at++
			if next = aValue; sc.closer() == '}' {
				next = aKey
			}
		case next == aKey || next == aKeyOrCloser:
			if c != '"' || !sc.text() {
				return false
			}
			if sc.skipSpace(); sc.at == len(sc.data) || sc.data[sc.at] != ':' {
				return false
			}
			sc.at++
			next = aValue
		default:
			if len(sc.closers) == 1 {
				sc.begin = sc.at
			}
			switch c {
			case '[':
				next = sc.open(']', aValueOrCloser)
			case '{':
				next = sc.open('}', aKeyOrCloser)
			default:
				if !sc.scalar(c) {
					return false
				}
				next = sc.ended()
			}
		}
		if sc.most > 0 && len(sc.items) > sc.most {
			return true
		}
	}
}

// closer is what closes the innermost array or object, 0 when none is open.
func (sc *jsonScanner) closer() byte {
	if n := len(sc.closers); n > 0 {
		return sc.closers[n-1]
	}
	return 0
}

func (sc *jsonScanner) open(closer byte, next expectation) expectation {
	if len(sc.closers) == 0 {
		sc.array = closer == ']'
	}
	sc.closers = append(sc.closers, closer)
	sc.at++
	return next
}

// ended notes the value that ends here if it is an element of the outermost array.
func (sc *jsonScanner) ended() expectation {
	if sc.most > 0 && len(sc.closers) == 1 && sc.array {
		sc.items = append(sc.items, Item{Body: sc.data[sc.begin:sc.at:sc.at]})
	}
	return whatFollows
}

func (sc *jsonScanner) skipSpace() {
	for sc.at < len(sc.data) && isSpace(sc.data[sc.at]) {
		sc.at++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// scalar reads a string, a number or a literal.
func (sc *jsonScanner) scalar(first byte) bool {
	switch first {
	case '"':
		return sc.text()
	case 't':
		return sc.literal("true")
	case 'f':
		return sc.literal("false")
	case 'n':
		return sc.literal("null")
	}
	return sc.number()
}

func (sc *jsonScanner) literal(want string) bool {
	for i := range len(want) {
		if sc.at == len(sc.data) || sc.data[sc.at] != want[i] {
			return false
		}
		sc.at++
	}
	return true
}

// text reads a string. Like encoding/json, it takes bytes that are not UTF-8.
func (sc *jsonScanner) text() bool {
	data, i := sc.data, sc.at+1
	for ; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			sc.at = i + 1
			return true
		case c < ' ':
			sc.at = i
			return false
		case c != '\\':
			continue
		}
		digits := 0
		if i++; i < len(data) && data[i] == 'u' {
			digits = 4
		} else if i < len(data) && strings.IndexByte(`"\/bfnrt`, data[i]) < 0 {
			sc.at = i
			return false
		}
		for ; digits > 0; digits-- {
			if i++; i < len(data) && !isHex(data[i]) {
				sc.at = i
				return false
			}
		}
	}
	sc.at = len(data)
	return false
}

func isHex(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func (sc *jsonScanner) number() bool {
	sc.skipOne("-")
	if !sc.skipOne("0") && !sc.digits() {
		return false
	}
	if sc.skipOne(".") && !sc.digits() {
		return false
	}
	if sc.skipOne("eE") {
		sc.skipOne("+-")
		return sc.digits()
	}
	return true
}

func (sc *jsonScanner) skipOne(of string) bool {
	if sc.at == len(sc.data) || strings.IndexByte(of, sc.data[sc.at]) < 0 {
		return false
	}
	sc.at++
	return true
}

// digits reads one or more.
func (sc *jsonScanner) digits() bool {
	begin := sc.at
	for sc.at < len(sc.data) && isDigit(sc.data[sc.at]) {
		sc.at++
	}
	return sc.at > begin
}

// checkJSON says why data is not one JSON value; nil if it is one.
func checkJSON(data []byte) error {
	sc := jsonScanner{data: data}
	if sc.scan() {
		return nil
	}
	return sc.problem()
}
