package cuda

// ReferenceConfig is the shape of a network of the reference objective.
type ReferenceConfig struct {
	Nodes, Relations int
	Dim              int // k, a multiple of 4
	Decoder          Decoder
	Dropout          float32
	Regularization   float32
	Limit            float32 // of the gradients' norm
	Key              [2]uint32
	Stream           uint64 // of the draws, see ReferenceStep.Draw
	Steps            int    // in all
	Sample           int    // triplets of a step, true and false ones
}

// Words is how many parameters it has, in their order: the table [Nodes][k]; of the first layer
// diagonals [Relations][k], loop [k][k] and bias [k]; of the second matrices [Relations][k][k],
// loop and bias; the relations' vectors [Relations][k].
func (c ReferenceConfig) Words() int { return c.at(referenceTensors) }

// The tensors in that order.
const (
	refTable = iota
	refDiagonal
	refLoop1
	refBias1
	refFull
	refLoop2
	refBias2
	refRelation
	referenceTensors
)

// at is where a tensor begins.
func (c ReferenceConfig) at(tensor int) (at int) {
	words := [referenceTensors]int{
		c.Nodes * c.Dim, c.Relations * c.Dim, c.Dim * c.Dim, c.Dim, c.Relations * c.Dim * c.Dim, c.Dim * c.Dim, c.Dim, c.Relations * c.Dim,
	}
	for _, n := range words[:tensor] {
		at += n
	}
	return at
}

// Groups are messages, those of one relation to one target together, by relation and then by
// target. Group g holds messages Start[g] to Start[g+1].
type Groups struct {
	Relation, Target []int32 // of each group
	Start            []int32
	Source           []int32   // of each message
	Norm             []float32 // of each message
}

// ReferenceStep is one step of the optimiser: triplets, the first half true, the messages that they
// make, the number of the stream's draw that dropout begins with (first layer's outputs, then the second's),
// and how far Adam goes.
type ReferenceStep struct {
	Source, Relation, Target []int32
	Groups                   Groups
	Draw                     uint64
	Adam                     Step
}

// squareParts is in how many parts sums of squares are made.
const squareParts = 256

// NeedReference is how much memory of the device a network takes at most, in bytes, beside the
// context itself: edges is how many the last pass, over all of them, has.
func NeedReference(c ReferenceConfig, edges int) int64 {
	const float = 4
	nodes, k := int64(c.Nodes), int64(c.Dim)
	sample, all := int64(c.Sample), int64(edges)
	bytes := int64(c.Words()) * float * 4
	bytes += nodes * k * float * 4            // outputs of the layers and their gradients
	bytes += max(sample, all) * k * float * 3 // sums of groups of both layers, and their gradients
	words := max(28*sample, 14*all) + 2*nodes + 2*int64(c.Relations)
	bytes += words * 3 / 2 * float                                                    // of a step or of the last pass, with room to grow
	bytes += nodes * float * 3                                                        // numbers and ones of nodes, the plan of all
	bytes += max((sample/batchPiece*2+nodes/piece*2)*k*k, all/batchPiece*2*k) * float // slots
	return bytes + 8<<20
}
