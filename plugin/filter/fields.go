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
	score, lowScore, reason, trained []byte
	evidence                         [evidence.Count][]byte
}

func newKeys(c *config.Fields) keys {
	text := func(s string) []byte { return msgp.AppendString(nil, s) }
	k := keys{score: text(c.Score), lowScore: text(c.LowScore), reason: text(c.Reason), trained: text(c.Model)}
	for i, name := range c.Evidence {
		k.evidence[i] = text(name)
	}
	return k
}

// addedFields is how many fields a session gets, but for the evidence.
func (p *recordPath) addedFields(scorer *model.Scorer) int {
	switch {
	case !p.cfg.Explain:
		return 2
	case scorer == nil:
		return 3
	}
	return 4
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
	if !p.cfg.Explain {
		return out
	}
	out = msgp.AppendString(append(out, p.keys.reason...), d.reason)
	if c.scorer != nil {
		out = msgp.AppendString(append(out, p.keys.trained...), c.scorer.Model().TrainedText())
	}
	if d.low {
		out = c.evidence.AppendTo(out, &p.keys.evidence)
	}
	return out
}

// round leaves six decimals of a score: more would be noise, and bytes in every record.
func round(score float32) float64 { return math.Round(float64(score)*1e6) / 1e6 }
