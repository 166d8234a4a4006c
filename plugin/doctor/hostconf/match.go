package hostconf

// Match reports whether the pattern of a property Match takes a tag. A * stands for any text.
func Match(pattern, tag string) bool { return MayMatch(pattern, tag, false) }

// MayMatch reports whether a pattern takes any of the tags that tag stands for: with wild, a * in it is text that is not
// known before the records come.
func MayMatch(pattern, tag string, wild bool) bool {
	// reach[j]: the pattern so far takes a tag that begins like tag[:j].
	reach := make([]bool, len(tag)+1)
	reach[0] = true
	skip := func() {
		for j := range tag {
			if wild && tag[j] == '*' && reach[j] { // it may be nothing
				reach[j+1] = true
			}
		}
	}
	skip()
	for i := range len(pattern) {
		if pattern[i] == '*' {
			for j := range tag {
				reach[j+1] = reach[j+1] || reach[j]
			}
			continue
		}
		next := make([]bool, len(tag)+1)
		for j := range len(tag) {
			if !reach[j] {
				continue
			}
			if wild && tag[j] == '*' { // one more of its letters
				next[j] = true
			} else if tag[j] == pattern[i] {
				next[j+1] = true
			}
		}
		reach = next
		skip()
	}
	return reach[len(tag)]
}
