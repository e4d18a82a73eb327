package settings

import (
	"testing"
	"time"
)

func TestDurationsAreParsedWithTheirUnits(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"60s": time.Minute, "60": time.Minute, "1.5": 1500 * time.Millisecond, "0": 0, "1m30s": 90 * time.Second,
		"30d": 720 * time.Hour, "0.5d": 12 * time.Hour, "250ms": 250 * time.Millisecond, "-5": -5 * time.Second,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("%q is read as %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "s", "x", "1e3", "0x10", "Inf", "NaN", "1.", ".", "-", "1_000", "9223372037", "106752d", "5 s"} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("%q is read as %s, want an error", text, got)
		}
	}
}

func TestSizesAreParsedWithTheirUnits(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "1048576": 1 << 20, "16MiB": 16 << 20, "1 GiB": 1 << 30, "2TiB": 2 << 40, "7KiB": 7 << 10} {
		got, err := parseSize(text)
		if err != nil || got != want {
			t.Errorf("%q is read as %d, %v, want %d", text, got, err, want)
		}
		if again, err := parseSize(formatSize(got)); err != nil || again != got {
			t.Errorf("%d is written as %q and read back as %d, %v", got, formatSize(got), again, err)
		}
	}
	for _, text := range []string{"", "KiB", "1.5MiB", "16M", "16MB", "16mib", "1e6", "8388608TiB", "99999999999999999999"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%q is read as %d, want an error", text, got)
		}
	}
}

func TestDurationsAreWrittenAsAUserWould(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Minute: "60s", 90 * time.Second: "90s", 2 * time.Minute: "2m", time.Hour: "1h",
		90 * time.Minute: "1h30m", 10*time.Hour + 5*time.Second: "10h0m5s", 1500 * time.Millisecond: "1.5s",
	} {
		text := formatDuration(d)
		if again, err := parseDuration(text); text != want || again != d || err != nil {
			t.Errorf("%d ns is written as %q and read back as %s, %v, want %q", d, text, again, err, want)
		}
	}
}
