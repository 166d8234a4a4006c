package model

import (
	"errors"
	"fmt"
	"math"
)

// ErrDiverged is what a training ends with when the loss is no number any more.
var ErrDiverged = errors.New("model: training diverged")

// losses are those of a training's steps as they become known, on some devices a while after the
// step.
type losses struct {
	steps    int // in all
	progress func(step, steps int, loss float32)
	told     int
	tail     float64 // mean of the last tenth of the steps, as far as they are known
}

// tell passes on what is new of all losses so far. It returns ErrDiverged for one that is no number.
func (l *losses) tell(all []float32) error {
	tailSteps := max(1, l.steps/10)
	for ; l.told < len(all); l.told++ {
		loss := all[l.told]
		if math.IsNaN(float64(loss)) || math.IsInf(float64(loss), 0) {
			return fmt.Errorf("%w: loss %v at step %d", ErrDiverged, loss, l.told)
		}
		if l.told >= l.steps-tailSteps {
			l.tail += float64(loss) / float64(tailSteps)
		}
		if l.progress != nil {
			l.progress(l.told+1, l.steps, loss)
		}
	}
	return nil
}
