package spool

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxName is the longest file name that Linux file systems take, in bytes.
const maxName = 255

// fitName shortens a name so that its reason file's name still fits. What is
// cut off is replaced by a hash of it, so that two long names stay two; a key in
// the name survives.
func fitName(name string) string {
	if len(name) <= maxName-len(reasonSuffix) {
		return name
	}
	stem, tail := name, ""
	if s, key, ext, ok := cutKey(name); ok {
		stem, tail = s, keyMark+key+ext
	} else if ext := path.Ext(name); len(ext) < 32 {
		stem, tail = strings.TrimSuffix(name, ext), ext
	}
	sum := sha256.Sum256([]byte(name))
	mark := "~" + hex.EncodeToString(sum[:6])
	return stem[:maxName-len(reasonSuffix)-len(tail)-len(mark)] + mark + tail
}

// EncodeName writes a file name as text that JSON can hold: as it is when it is
// UTF-8, else quoted as by strconv.Quote. DecodeName undoes it.
func EncodeName(name string) string {
	if utf8.ValidString(name) && !strings.HasPrefix(name, `"`) {
		return name
	}
	return strconv.QuoteToASCII(name)
}

// DecodeName undoes EncodeName.
func DecodeName(text string) string {
	if !strings.HasPrefix(text, `"`) {
		return text
	}
	if name, err := strconv.Unquote(text); err == nil {
		return name
	}
	return text
}
