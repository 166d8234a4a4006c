package filter

import (
	"math"

	"github.com/tinylib/msgp/msgp"

	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/evidence"
)

// keys are the names of the added fields as msgpack.
type keys struct {
	score, lowScore, reason, trained        []byte
	sourceAlert, sourceRisk, sourceTriplets []byte
	evidence                                [evidence.Count][]byte
}

func newKeys(c *config.Fields) keys {
	text := func(s string) []byte { return msgp.AppendString(nil, s) }
	k := keys{score: text(c.Score), lowScore: text(c.LowScore), reason: text(c.Reason), trained: text(c.Model),
		sourceAlert: text(c.SourceAlert), sourceRisk: text(c.SourceRisk), sourceTriplets: text(c.SourceTriplets)}
	for i, name := range c.Evidence {
		k.evidence[i] = text(name)
	}
	return k
}

// addedFields is how many fields every session gets.
func (p *recordPath) addedFields(scorer *model.Scorer) int {
	switch {
	case !p.cfg.Explain:
		return 2
	case scorer == nil:
		return 3
	}
	return 4
}

// moreFields is how many fields a session gets beside those that all get.
func (p *recordPath) moreFields(c *call, d *decision) (n int) {
	if d.report {
		n++
	}
	if p.cfg.Explain && d.explained() {
		n += c.evidence.Len()
		if d.pooled.Triplets > 0 {
			n += 2
		}
	}
	return n
}

// appendFields appends the fields of a session to out, as msgpack. c has the evidence.
func (p *recordPath) appendFields(out []byte, c *call, d *decision) []byte {
	out = append(out, p.keys.score...)
	if c.scorer == nil {
		out = msgp.AppendNil(out)
	} else {
		out = msgp.AppendFloat64(out, d.score)
	}
	out = msgp.AppendBool(append(out, p.keys.lowScore...), d.low)
	if d.report {
		out = msgp.AppendBool(append(out, p.keys.sourceAlert...), true)
	}
	if !p.cfg.Explain {
		return out
	}
	out = msgp.AppendString(append(out, p.keys.reason...), d.reason)
	if c.scorer != nil {
		out = msgp.AppendString(append(out, p.keys.trained...), c.scorer.Model().TrainedText())
	}
	if !d.explained() {
		return out
	}
	if d.pooled.Triplets > 0 {
		out = msgp.AppendFloat64(append(out, p.keys.sourceRisk...), math.Round(float64(d.pooled.Risk)*1e3)/1e3)
		out = msgp.AppendInt(append(out, p.keys.sourceTriplets...), d.pooled.Triplets)
	}
	return c.evidence.AppendTo(out, &p.keys.evidence)
}

// round leaves six decimals of a score: more would be noise, and bytes in every record.
func round(score float32) float64 { return math.Round(float64(score)*1e6) / 1e6 }
