package cuda

// piece is the number of edges, and batchPiece that of triplets, which one team sums at most.
// Shorter pieces make more of the device busy on hubs, longer ones need fewer slots.
const (
	piece      = 128
	batchPiece = 32
)

// plan cuts sums over the items of rows into pieces of bounded length. Where a row has
// several pieces, their sums go to slots, in the order of the row, and the next level sums
// these. The last level of each row writes to the row.
type plan struct {
	levels []level
	slots  int // of all levels
}

// level is pieces: start[p] to start[p+1] are the items of piece p, or its slots. dest[p] is
// the row, or ^slot.
type level struct {
	start, dest []int32
}

// newPlan makes a plan over rows that have the items start[i] to start[i+1]; a row without
// items is a piece without items. Row i is written to row[i], to i where row is nil.
func newPlan(start []int32, row []int32, most int) plan {
	var p plan
	type span struct{ from, to, row int32 }
	spans := make([]span, len(start)-1)
	for i := range spans {
		r := int32(i)
		if row != nil {
			r = row[i]
		}
		spans[i] = span{start[i], start[i+1], r}
	}
	for len(spans) > 0 {
		var l level
		var next []span
		for _, s := range spans {
			if int(s.to-s.from) <= most {
				l.start, l.dest = append(l.start, s.from), append(l.dest, s.row)
				continue
			}
			first := int32(p.slots)
			for at := s.from; at < s.to; at += int32(most) {
				l.start, l.dest = append(l.start, at), append(l.dest, ^int32(p.slots))
				p.slots++
			}
			next = append(next, span{first, int32(p.slots), s.row})
		}
		// Pieces of a level lie behind each other, so that the end of one is the start of the next.
		l.start = append(l.start, spans[len(spans)-1].to)
		p.levels = append(p.levels, l)
		spans = next
	}
	return p
}
