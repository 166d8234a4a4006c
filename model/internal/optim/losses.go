package optim

import (
	"errors"
	"fmt"
	"math"
)

// ErrDiverged is the error of a training whose loss is no longer a finite number.
var ErrDiverged = errors.New("model: training diverged")

// Losses passes the losses of a training on as they become known; on a card that is a while after the step.
type Losses struct {
	Steps    int // in all
	Progress func(step, steps int, loss float32)
	told     int
	Tail     float64 // mean of the last tenth of the steps, as far as they are known
}

// Tell reports the losses that are new among all losses so far. It returns ErrDiverged for a loss that is not a
// number.
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
