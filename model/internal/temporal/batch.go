package temporal

// Batch is the triplets of one step, positives with label 1 and corrupted ones with label 0, by index.
type Batch struct {
	S, R, D    []int32 // rows and relations, -1 where unknown
	Counts     []Counts
	Neighbours []Neighbours
	Label      []float32
	Weight     []float32 // their sum is what the loss is divided by
	Mass       []float32 // how many triplets of the window a positive stands for
	Tenure     []float32 // factors of tenures, for scores; the loss knows none
}

// reset empties the batch and keeps its memory.
func (b *Batch) reset() { b.cut(0) }

// cut keeps the first n triplets.
func (b *Batch) cut(n int) {
	*b = Batch{b.S[:n], b.R[:n], b.D[:n], b.Counts[:n], b.Neighbours[:n], b.Label[:n], b.Weight[:n], b.Mass[:n], b.Tenure[:n]}
}

func (b *Batch) add(s, r, d int32, n Counts, near Neighbours, label, weight, mass, tenure float32) {
	b.S, b.R, b.D = append(b.S, s), append(b.R, r), append(b.D, d)
	b.Counts, b.Neighbours, b.Label = append(b.Counts, n), append(b.Neighbours, near), append(b.Label, label)
	b.Weight, b.Mass, b.Tenure = append(b.Weight, weight), append(b.Mass, mass), append(b.Tenure, tenure)
}
