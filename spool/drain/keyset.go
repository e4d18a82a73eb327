package drain

import (
	"encoding/json"
	"maps"
	"slices"
)

// keySet is a set of idempotency keys; in JSON, a sorted list of them.
type keySet map[string]struct{}

func (s keySet) has(key string) bool {
	_, found := s[key]
	return found
}

func (s keySet) MarshalJSON() ([]byte, error) {
	return json.Marshal(slices.Sorted(maps.Keys(s)))
}

func (s *keySet) UnmarshalJSON(data []byte) error {
	var keys []string
	if err := json.Unmarshal(data, &keys); err != nil {
		return err
	}
	*s = make(keySet, len(keys))
	for _, key := range keys {
		(*s)[key] = struct{}{}
	}
	return nil
}
