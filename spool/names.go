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

// maxExt is how much of a name may be its extension, in bytes.
const maxExt = 32

// fitName shortens a name so that its reason file's name still fits. A hash replaces the part that
// is cut off, so that two long names stay two. A key in the name survives, and a name without a key
// does not get one.
func fitName(name string) string {
	if len(name) <= maxName-len(reasonSuffix) {
		return name
	}
	stem, key, ext, keyed := cutKey(name)
	if keyed {
		key = keyMark + key
	} else {
		ext = path.Ext(name)
		stem = strings.TrimSuffix(name, ext)
	}
	if len(ext) > maxExt { // too long to be an extension
		stem, ext = stem+ext, ""
	}
	sum := sha256.Sum256([]byte(name))
	mark := "~" + hex.EncodeToString(sum[:6])
	end := maxName - len(reasonSuffix) - len(mark) - len(key) - len(ext)
	for range utf8.UTFMax - 1 { // some file systems take whole characters only
		if !utf8.RuneStart(stem[end]) {
			end--
		}
	}
	stem = stem[:end]
	for !keyed && isKeyed(stem+mark+ext) { // the part behind something like a key was cut off
		stem = strings.TrimSuffix(stem, path.Ext(stem))
	}
	return stem + mark + key + ext
}

// EncodeName writes a file name as text that JSON can hold: unchanged when it is UTF-8, otherwise
// quoted as by strconv.Quote. DecodeName undoes it.
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
