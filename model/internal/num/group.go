package num

// Grouping lists items by small keys, stably and in linear time (counting sort). The zero value is
// ready, and one that is used again uses its memory again.
type Grouping struct {
	Start []int32 // [n+1]; the items of key k are Items[Start[k]:Start[k+1]]
	Items []int32

	spare []int32
}

// By groups items by keys[item], each below n. An item with a negative key is left out. items may be
// those of this grouping's last call, which sorts by several keys, the least significant first; nil stands
// for all indices of keys.
func (g *Grouping) By(keys []int32, n int, items []int32) {
	g.Start = Zeroed(g.Start, n+1)
	count := func(key int32) {
		if key >= 0 {
			g.Start[key+1]++
		}
	}
	if items == nil {
		for _, k := range keys {
			count(k)
		}
	} else {
		for _, i := range items {
			count(keys[i])
		}
	}
	for k := range n {
		g.Start[k+1] += g.Start[k]
	}
	out := g.spare
	if size := int(g.Start[n]); cap(out) < size {
		out = make([]int32, size)
	} else {
		out = out[:size]
	}
	place := func(i int32) { // leaves at Start[k] where key k+1 begins
		if k := keys[i]; k >= 0 {
			out[g.Start[k]] = i
			g.Start[k]++
		}
	}
	if items == nil {
		for i := range keys {
			place(int32(i))
		}
	} else {
		for _, i := range items {
			place(i)
		}
	}
	copy(g.Start[1:], g.Start[:n])
	g.Start[0] = 0
	g.Items, g.spare = out, g.Items
}

// Zeroed returns n zeros, in x where they fit.
func Zeroed[T int32 | float32](x []T, n int) []T {
	if cap(x) < n {
		return make([]T, n)
	}
	x = x[:n]
	clear(x)
	return x
}
