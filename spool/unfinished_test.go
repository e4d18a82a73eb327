package spool_test

import (
	"errors"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

// waitsWhy reads a payload file and returns why it is left to its producer, "" when it is read.
func waitsWhy(t *testing.T, s *spool.Spool, name string, now time.Time) string {
	t.Helper()
	_, err := s.Read(spool.Entry{Name: name}, now, nil)
	if err == nil {
		return ""
	}
	var skip *spool.SkipError
	if !errors.As(err, &skip) || !skip.Pending {
		t.Fatalf("%s is neither read nor left to its producer: %v", name, err)
	}
	return skip.Reason
}

func TestAFileIsReadOnlyWhenItIsOldEnough(t *testing.T) {
	for _, tt := range []struct {
		name        string
		minAge, age time.Duration
		waits       bool
	}{
		{"no age is wanted", 0, 0, false},
		{"a moment too young", 5 * time.Second, 5*time.Second - 1, true},
		{"old enough", 5 * time.Second, 5 * time.Second, false},
		{"too young by a rule of hours", 2 * time.Hour, time.Hour, true},
		{"a clock that is a little ahead", 5 * time.Second, -4 * time.Second, true},
		{"a clock that is years ahead", 5 * time.Second, -90_000 * time.Hour, false},
	} {
		s, dir := newSpool(t, spool.Config{MinAge: tt.minAge})
		write(t, dir, "x.json", "{}", tt.age)
		if why := waitsWhy(t, s, "x.json", noon); (why != "") != tt.waits {
			t.Errorf("%s: it waits because it %q, want waiting: %v", tt.name, why, tt.waits)
		}
	}
}
