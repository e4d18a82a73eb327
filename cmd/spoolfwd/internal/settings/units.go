package settings

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// parseDuration reads a duration as Go writes it ("1m30s"), a bare number of seconds ("90", "1.5"),
// or days ("30d"), which ages need and Go has no unit for.
func parseDuration(text string) (time.Duration, error) {
	number, unit := text, time.Second
	if days, ok := strings.CutSuffix(text, "d"); ok {
		number, unit = days, 24*time.Hour
	}
	if f, err := parseDecimal(number); err == nil {
		if math.Abs(f)*float64(unit) >= math.MaxInt64 {
			return 0, fmt.Errorf("%q is too long, the longest duration is 292 years", text)
		}
		return time.Duration(f * float64(unit)), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("invalid duration %q, write it as 60s, 1m30s, 12h, 30d or a number of seconds", text)
	}
	return d, nil
}

// formatDuration writes a duration as a user would: "60s", "10m", "1h30m".
func formatDuration(d time.Duration) string {
	if d%time.Second == 0 && d.Abs() < 2*time.Minute {
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// parseDecimal reads a plain decimal number, without the exponents, hexadecimal digits and "Inf"
// that strconv takes as well.
func parseDecimal(text string) (float64, error) {
	digits := strings.TrimPrefix(strings.TrimPrefix(text, "-"), "+")
	whole, fraction, point := strings.Cut(digits, ".")
	if strings.Trim(whole+fraction, "0123456789") != "" || point && fraction == "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(text, 64)
}

// parseSize reads a number of bytes, with the suffix KiB, MiB, GiB or TiB. Suffixes that some read
// as powers of 1000 and others as powers of 1024 are refused.
func parseSize(text string) (int64, error) {
	number, unit := strings.TrimSpace(text), int64(1)
	for i, suffix := range sizeUnits() {
		if n, ok := strings.CutSuffix(number, suffix); ok {
			number, unit = strings.TrimSpace(n), 1<<(10*(i+1))
			break
		}
	}
	if _, err := parseDecimal(number); err != nil || strings.Contains(number, ".") {
		return 0, fmt.Errorf("invalid size %q, write it in bytes (1048576) or with KiB, MiB, GiB or TiB", text)
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n > math.MaxInt64/unit || n < math.MinInt64/unit {
		return 0, fmt.Errorf("%q is too large for a size", text)
	}
	return n * unit, nil
}

// formatSize writes a size in the largest unit that holds it exactly, so that parseSize reads the
// same number back.
func formatSize(n int64) string {
	unit := ""
	for _, next := range sizeUnits() {
		if n == 0 || n%1024 != 0 {
			break
		}
		n, unit = n/1024, next
	}
	return strconv.FormatInt(n, 10) + unit
}

func sizeUnits() []string { return []string{"KiB", "MiB", "GiB", "TiB"} }
