package h1

import "bytes"

// A Field is a header that an answer may have.
type Field struct {
	Name  string // in lower case
	Value string
}

// is reports whether a header line is f. Of a Content-Type only the media type counts: parameters
// such as the charset differ between answers of one listener.
func (f Field) is(name, value []byte) bool {
	if !is(name, f.Name) {
		return false
	}
	if f.Name == "content-type" {
		return bytes.EqualFold(mediaType(value), mediaType([]byte(f.Value)))
	}
	return string(value) == f.Value
}

// mediaType returns a Content-Type without its parameters (RFC 9110 section 8.3.1).
func mediaType(value []byte) []byte {
	media, _, _ := bytes.Cut(value, []byte(";"))
	return bytes.TrimRight(media, " \t")
}
