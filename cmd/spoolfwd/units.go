package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// size is a number of bytes.
type size int64

// parseDuration reads a duration as Go writes it ("1m30s"), a bare number of
// seconds ("90", "1.5"), or days ("30d"), which Go has no unit for and ages need.
func parseDuration(text string) (time.Duration, error) {
	number, perUnit := text, time.Second
	if days, ok := strings.CutSuffix(text, "d"); ok {
		number, perUnit = days, 24*time.Hour
	}
	if isDecimal(number) {
		f, err := strconv.ParseFloat(number, 64)
		if err != nil || math.Abs(f)*float64(perUnit) >= math.MaxInt64 {
			return 0, fmt.Errorf("%q is too long for a duration (292 years at most)", text)
		}
		return time.Duration(f * float64(perUnit)), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is no duration: write it as 60s, 1m30s, 12h, 30d or a number of seconds", text)
	}
	return d, nil
}

// isDecimal reports whether text is a plain decimal number, without the
// exponents, hexadecimal and "Inf" that strconv takes as well.
func isDecimal(text string) bool {
	text = strings.TrimPrefix(strings.TrimPrefix(text, "-"), "+")
	whole, fraction, point := strings.Cut(text, ".")
	isDigits := func(s string) bool { return strings.Trim(s, "0123456789") == "" }
	return isDigits(whole) && isDigits(fraction) && whole+fraction != "" && (!point || fraction != "")
}

// parseSize reads a number of bytes, with the suffix KiB, MiB, GiB or TiB.
// Suffixes that some read as powers of 1000 and some as powers of 1024 are
// refused.
func parseSize(text string) (size, error) {
	number, unit := strings.TrimSpace(text), int64(1)
	for i, suffix := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if n, ok := strings.CutSuffix(number, suffix); ok {
			number, unit = strings.TrimSpace(n), 1<<(10*(i+1))
			break
		}
	}
	if !isDecimal(number) || strings.Contains(number, ".") {
		return 0, fmt.Errorf("%q is no size: write it as bytes (1048576) or with KiB, MiB, GiB or TiB", text)
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n > math.MaxInt64/unit || n < math.MinInt64/unit {
		return 0, fmt.Errorf("%q is too large for a size", text)
	}
	return size(n * unit), nil
}

// String writes the size in the largest unit that holds it exactly, so that
// parseSize reads the same number back.
func (s size) String() string {
	units := []string{"", "KiB", "MiB", "GiB", "TiB"}
	n, i := int64(s), 0
	for n != 0 && n%1024 == 0 && i < len(units)-1 {
		n, i = n/1024, i+1
	}
	return strconv.FormatInt(n, 10) + units[i]
}
