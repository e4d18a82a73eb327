package settings

import "fmt"

// unknown says that nothing has this name, and which name was probably meant.
func unknown(what, name string, known []string, write func(string) string) error {
	if near := Nearest(name, known); near != "" {
		return fmt.Errorf("unknown %s %s, did you mean %s?", what, write(name), write(near))
	}
	return fmt.Errorf("unknown %s %s", what, write(name))
}

// Nearest returns the candidate most like word, or "" when none is near enough to be what was
// meant: at most one slip per three letters. The command line library's own suggestions are not
// used: they take log-format for what ulr meant, and always suggest something.
func Nearest(word string, candidates []string) string {
	best, bestDistance := "", len(word)/3+1
	for _, c := range candidates {
		if d := distance(word, c); d < bestDistance || d == bestDistance && best == "" {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance counts the letters to insert, remove, replace or swap with their neighbour to turn a
// into b (optimal string alignment).
func distance(a, b string) int {
	before, previous, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, previous, row = previous, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(previous[j]+1, row[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
