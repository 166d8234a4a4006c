package model

import (
	"fmt"
	"math"

	"flb-filter-rgcn/model/internal/num"
	"flb-filter-rgcn/model/ranking"
)

// Threshold says below which score a session counts as unusually unexpected. Every method
// reads the scores of true triplets that the model was not trained on, each triplet once:
// a brute force of ten thousand records moves no threshold.
type Threshold struct {
	Method   string  // Sigma, Quantile or Budget
	K        float64 // Sigma: mean - K standard deviations, of the scores as log-odds
	Quantile float64 // Quantile: the share of triplets that lie below
	PerDay   float64 // Budget: how many triplets a day may lie below, of those that are not likelier true than made up
}

// The methods of a Threshold.
const (
	Sigma    = "sigma"
	Quantile = "quantile"
	Budget   = "budget"
)

// Validate reports the first setting without a meaning.
func (t Threshold) Validate() error {
	switch {
	case t.Method != Sigma && t.Method != Quantile && t.Method != Budget:
		return fmt.Errorf("model: threshold method is %q, allowed are sigma, quantile, budget", t.Method)
	case t.Method == Sigma && !(t.K >= 0):
		return fmt.Errorf("model: threshold k is %v, allowed are 0 and more", t.K)
	case t.Method == Quantile && !(t.Quantile > 0 && t.Quantile < 1):
		return fmt.Errorf("model: threshold quantile is %v, allowed are numbers between 0 and 1", t.Quantile)
	case t.Method == Budget && !(t.PerDay > 0):
		return fmt.Errorf("model: threshold per_day is %v, allowed are numbers above 0", t.PerDay)
	}
	return nil
}

// of returns the threshold over scores that were gathered in the given number of days. even
// is the score of a session that is as likely among the true ones as among the corrupted.
func (t Threshold) of(scores []ranking.Weighted, days float64, even float32) float32 {
	if len(scores) == 0 {
		return 0
	}
	switch t.Method {
	case Sigma:
		// In log-odds: scores crowd at both ends of 0 to 1, where mean - 2 sd is often below 0.
		var n, sum, squares float64
		for _, s := range scores {
			x, w := logit(s.Score), float64(s.Weight)
			n += w
			sum += w * x
			squares += w * x * x
		}
		mean := sum / n
		at := num.Sigmoid(float32(mean - t.K*math.Sqrt(max(squares/n-mean*mean, 0))))
		// Where all sessions are alike their deviation is next to nothing, and mean - K
		// deviations would call the usual strange.
		return min(at, even)
	case Budget:
		// A quiet network may not have so many strange sessions a day.
		return min(ranking.Below(scores, t.PerDay*days), even)
	default:
		var n float64
		for _, s := range scores {
			n += float64(s.Weight)
		}
		return ranking.Below(scores, t.Quantile*n)
	}
}

// logit is the inverse of sigmoid, for scores rounded to 0 or 1 too.
func logit(score float32) float64 {
	const edge = 1e-7
	x := min(max(float64(score), edge), 1-edge)
	return math.Log(x / (1 - x))
}
