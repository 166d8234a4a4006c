package optim

import (
	"errors"
	"fmt"
	"math"
)

// ErrDiverged is what a training ends with when the loss is no number any more.
var ErrDiverged = errors.New("model: training diverged")

// Losses are those of a training's steps as they become known, on some devices a while after the
// step.
type Losses struct {
	Steps    int // in all
	Progress func(step, steps int, loss float32)
	told     int
	Tail     float64 // mean of the last tenth of the steps, as far as they are known
}

// Tell passes on what is new of all losses so far. It returns ErrDiverged for one that is no number.
func (l *Losses) Tell(all []float32) error {
	tailSteps := max(1, l.Steps/10)
	for ; l.told < len(all); l.told++ {
		loss := all[l.told]
		if math.IsNaN(float64(loss)) || math.IsInf(float64(loss), 0) {
			return fmt.Errorf("%w: loss %v at step %d", ErrDiverged, loss, l.told)
		}
		if l.told >= l.Steps-tailSteps {
			l.Tail += float64(loss) / float64(tailSteps)
		}
		if l.Progress != nil {
			l.Progress(l.told+1, l.Steps, loss)
		}
	}
	return nil
}
