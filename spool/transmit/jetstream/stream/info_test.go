package stream

import "testing"

func TestAStreamTakesWhatItsSubjectsCover(t *testing.T) {
	for _, test := range []struct {
		pattern, subject string
		takes            bool
	}{
		{"a.b", "a.b", true},
		{"a.b", "a.c", false},
		{"a.*", "a.b", true},
		{"a.*", "a.*", true},
		{"a.b", "a.*", false},
		{"a.>", "a.b.c", true},
		{"a.>", "a", false},
		{"a.*", "a.b.c", false},
		{"a.b.c", "a.b", false},
		{">", "a", true},
	} {
		var s Info
		s.Config.Subjects = []string{"other", test.pattern}
		if got := s.Takes(test.subject); got != test.takes {
			t.Errorf("that a stream of %s takes %s is %v, want %v", test.pattern, test.subject, got, test.takes)
		}
	}
}
