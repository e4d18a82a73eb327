package main

import "bytes"

// countItems tells how many items a body holds: the elements of a JSON array, otherwise the JSON
// values that stand one after the other (NDJSON, or just one). It checks no syntax: a body that is
// not JSON counts as one item or more, and an empty one as none.
func countItems(body []byte) int {
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return 0
	}
	if body[0] == '[' {
		return countValues(body[1:])
	}
	if bytes.IndexByte(body, '\n') < 0 { // the common case: one object on one line
		return 1
	}
	return countValues(body)
}

// countValues counts the JSON values on the level on which text begins, up to the bracket that
// closes this level.
func countValues(text []byte) int {
	count, depth := 0, 0
	scalar := false // inside a number or a word
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch c {
		case ' ', '\t', '\r', '\n', ',', ':':
			scalar = false
			continue
		case ']', '}':
			if depth == 0 {
				return count
			}
			depth--
			scalar = false
			continue
		}
		if depth == 0 && !scalar {
			count++
		}
		scalar = false
		switch c {
		case '[', '{':
			depth++
		case '"':
			i += stringLength(text[i+1:])
		default:
			scalar = true
		}
	}
	return count
}

// stringLength is the length of the rest of a JSON string, closing quote included.
func stringLength(text []byte) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}
