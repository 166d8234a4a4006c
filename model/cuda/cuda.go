// Package cuda trains package model's networks on a CUDA device, through the driver API of
// gorgonia.org/cu and kernels of its own (kernels.cu, embedded as PTX): Network is the model's own,
// Reference the reference's.
//
// It knows arrays, not what they mean: edges with rows and relations, batches of triplets
// with features, parameters with moments. These stay on the device from the first step to
// the last; a step sends one batch there. It knows no graph, no configuration and no file.
//
// Built with the tag gpu (the tag cuda would turn on Gorgonia's own CUDA code); without it
// only the types of this file and the plans are here.
// The driver is looked for when the first device is opened, never when the program is loaded.
package cuda

// kernels are the names of those in kernels.cu.
var kernels = []string{
	"propagate", "diagonal_grad", "sum_slots", "decode", "decode_backward", "gather_add", "reduce", "adam",
	"layer_forward", "self_loop_backward", "group_backward", "outer", "relu_backward", "dropout_backward", "l2_grad",
	"score_loss", "score_backward", "sum_squares", "loss_sum", "clip_scale",
}

// Sizes of the decoder, fixed in kernels.cu.
const (
	Counted    = 29 // features that come with a batch
	Structural = 4  // features that are computed: walk, profile, near, relation
	Features   = Counted + Structural
	Hidden     = 32 // units of the hidden layer
	Near       = 4  // rows that stand in for a new host, at most

	// DecoderParams is the length of the decoder's parameters: the hidden layer's weights
	// [Features][Hidden] and biases [Hidden], the output's weights [Hidden] and bias.
	DecoderParams = Features*Hidden + Hidden + Hidden + 1
)

// Words of a triplet in a batch and in what the decoder leaves of it: the enumerations of kernels.cu.
const (
	batchWords = 5 + Near + 3
	workWords  = Features + 2*Hidden + 6
)

// Decoder is a relational score.
type Decoder int

// The relational scores, as package model defines them.
const (
	DistMult Decoder = iota
	TransE
	RotatE
)

// Config is the shape of a network.
type Config struct {
	Sources, Destinations, Relations int
	Dim                              int // k, a multiple of 4
	Decoder                          Decoder
	Mean, Inverse                    [Structural]float32 // scaling of the structural features; an inverse of 0 leaves one out
	KeepScale                        float32             // of hidden units that dropout keeps
	Steps                            int                 // decoder steps in all
	MaxBatch                         int                 // triplets of a step, at most
	FixedLayers                      bool                // the layers stay as they are
}

// Norms are the normalisations of an edge, in the order of Order.Norm.
const (
	Walk = iota
	Profile
	Mean
	norms
)

// Order is the edges of a graph grouped by rows of one kind. Edges Start[i] to Start[i+1] are
// those of row i. By source, A is the destination's row and B the relation; by destination, A
// is the source's row; by relation, A is the source's and B the destination's row.
type Order struct {
	Start []int32 // [rows+1]
	A, B  []int32
	Norm  [norms][]float32
}

// Messages are the same edges three times. Pass and Embed take a key that tells one set from another, and ask for
// the set itself only where the device no longer has it.
type Messages struct{ BySource, ByDestination, ByRelation Order }

// Batch is the triplets of one decoder step, n of them.
type Batch struct {
	Source, Relation, Destination []int32     // [n], rows; -1 is unknown
	NearCount, NearSources        []int32     // [n], how many rows stand in, and whether they are sources (1) or destinations (0)
	NearRows                      []int32     // [n][Near]
	Keep                          []uint32    // [n], bit i: dropout keeps hidden unit i
	Label, Weight                 []float32   // [n], the weights sum to 1
	Counted                       [][]float32 // [n][Counted], scaled
}

// Step is how far Adam goes: a parameter moves by Rate m / (sqrt v + Epsilon), and a weight of the
// decoder loses the share Decay of itself.
type Step struct{ Rate, Epsilon, Decay float32 }

// Steps are those of one round. Layers counts in the last round of a pass only.
type Steps struct{ Decoder, Relations, Layers Step }

// Need is how much memory of the device a network takes with one set of messages at most, in
// bytes, beside the context itself.
func Need(cfg Config, edges int) int64 {
	const float = 4
	rows, k := int64(cfg.Sources+cfg.Destinations), int64(cfg.Dim)
	bytes := rows * k * float * (1 + 2 + 2)                         // inputs, two outputs a side, their gradients
	bytes += (5*int64(cfg.Relations)*k + DecoderParams) * float * 4 // value, two moments, gradient
	bytes += messagesBytes(rows+int64(cfg.Relations), int64(edges))
	bytes += int64(edges) / piece * 3 * k * float // slots
	bytes += int64(cfg.MaxBatch) * (batchWords + Counted + workWords + 120) * float
	return bytes + 8<<20 // what allocations are rounded up to
}

// messagesBytes is what three orders of the edges take: two rows and the norms of each edge,
// pieces of at least a row each.
func messagesBytes(rows, edges int64) int64 {
	return 4 * (3*edges*(2+norms) + 2*(rows+3*edges/piece))
}

// DecoderOf returns the decoder of a name: distmult, transe or rotate.
func DecoderOf(name string) Decoder {
	return map[string]Decoder{"distmult": DistMult, "transe": TransE, "rotate": RotatE}[name]
}
