package config

import "strings"

// nearest returns the candidate that name was probably meant to be, "" if none is close.
func nearest(name string, candidates []string) string {
	best, least := "", 1+len(name)/4 // a typing error in every fourth letter still counts as near
	for _, c := range candidates {
		if d := EditDistance(strings.ToLower(name), c); d <= least && (best == "" || d < least) {
			best, least = c, d
		}
	}
	return best
}

// EditDistance is the number of letters to insert, delete, replace or swap with the neighbour to get
// from a to b (optimal string alignment).
func EditDistance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
