package drain

import "math/bits"

// A set holds small numbers and finds the nth of them, in ascending order. It is a plain value that
// knows no lock.
type set struct {
	len   int
	words []uint64 // one bit per number
	first int      // the words before it are empty
}

// fullSet holds the numbers below n.
func fullSet(n int) set {
	s := set{len: n, words: make([]uint64, (n+63)/64)}
	for i := range s.words {
		s.words[i] = ^uint64(0)
	}
	if n%64 > 0 {
		s.words[len(s.words)-1] >>= 64 - n%64
	}
	return s
}

func (s *set) has(i int) bool { return i/64 < len(s.words) && s.words[i/64]&(1<<(i%64)) != 0 }

func (s *set) add(i int) {
	if s.has(i) {
		return
	}
	for i/64 >= len(s.words) {
		s.words = append(s.words, 0)
	}
	s.words[i/64] |= 1 << (i % 64)
	s.first = min(s.first, i/64)
	s.len++
}

func (s *set) remove(i int) {
	if !s.has(i) {
		return
	}
	s.words[i/64] &^= 1 << (i % 64)
	s.len--
}

// nth returns the number that n others are smaller than; n is less than s.len.
func (s *set) nth(n int) int {
	for s.words[s.first] == 0 {
		s.first++
	}
	at := s.first
	for ; ; at++ {
		count := bits.OnesCount64(s.words[at])
		if n < count {
			break
		}
		n -= count
	}
	word := s.words[at]
	for range n {
		word &= word - 1 // drops the lowest
	}
	return at*64 + bits.TrailingZeros64(word)
}
