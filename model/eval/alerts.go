package eval

import (
	"math"
	"math/rand/v2"

	"flb-filter-rgcn/model/simulate"
)

// Verdict is what a running filter says of a session.
type Verdict struct {
	Score    float64 // NaN: there is no model yet
	Low      bool
	Reported bool // an alert about its source comes with it
}

// AlertResult is what a filter's alerts found, on the days with attacks alone. An attacker is a source on a day on which
// it attacks. What would be a share of nothing is NaN.
type AlertResult struct {
	Days      float64 // with attacks
	Attackers float64 // a day

	Reports          float64 // alerts about sources, a day
	ReportPrecision  float64 // share of them that are about an attacker
	AttackersFound   float64 // share of the attackers with an alert about them on the day
	TripletsCovered  float64 // share of the attack triplets whose source is found
	ChainsFound      float64 // share found of the attackers who move on from host to host
	Lows             float64 // distinct triplets with a low score, a day
	LowPrecision     float64 // share of them that are attacks
	AttackersWithLow float64 // share of the attackers with a triplet that has a low score on the day, an attack or not
	TripletsFound    float64 // share of the attack triplets with a low score
	AP               float64 // of all days together
	Recall20         float64 // share of the attack triplets among the 20 lowest scores of their day
}

// AlertJudge judges what a filter says of sessions, which come in order of time, by days from midnight to midnight UTC.
// A distinct triplet counts once a day: with the score of its first session then, and as low where one of them is.
type AlertJudge struct {
	rng *rand.Rand

	// The day under way.
	day      int64
	triplets []dayTriplet
	index    map[string]int // of triplets, by their names
	sources  map[string]*daySource

	// The days with attacks that are over.
	periods [][]Scored
	counts  alertCounts
}

// dayTriplet is a triplet on one day.
type dayTriplet struct {
	Scored
	source *daySource
	low    bool
}

// daySource is a source on one day.
type daySource struct {
	reports              int // alerts about it
	low, attacks, chains bool
}

// alertCounts are what an AlertResult's shares are made of.
type alertCounts struct {
	attackers, found, withLow, inChains, chainsFound int
	attacks, covered, low                            int // triplets that are attacks
	reports, reportsOfAttackers                      int
	lows                                             int // triplets
}

// NewAlertJudge returns one that has seen no session. seed draws the order among equal scores.
func NewAlertJudge(seed uint64) *AlertJudge {
	return &AlertJudge{rng: rand.New(rand.NewPCG(seed, 0)), index: map[string]int{}, sources: map[string]*daySource{}}
}

// Add takes a session and what the filter says of it.
func (j *AlertJudge) Add(s *Session, v Verdict) {
	if day := s.Time / int64(Day); day != j.day {
		j.endDay()
		j.day = day
	}
	source := j.sources[string(s.Source)]
	if source == nil {
		source = new(daySource)
		j.sources[string(s.Source)] = source
	}
	key := string(s.Source) + "\x00" + string(s.Relation) + "\x00" + string(s.Destination)
	i, seen := j.index[key]
	if !seen {
		i = len(j.triplets)
		j.index[key] = i
		score := v.Score
		if math.IsNaN(score) {
			score = noScore
		}
		j.triplets = append(j.triplets, dayTriplet{Scored: Scored{Score: score, tie: j.rng.Uint64()}, source: source})
	}
	t := &j.triplets[i]
	if s.Label != "" {
		t.Attack, source.attacks = true, true
		source.chains = source.chains || s.Note == simulate.NoteChain
	}
	t.low = t.low || v.Low
	source.low = source.low || v.Low
	if v.Reported {
		source.reports++
	}
}

// endDay counts the day under way, if it has an attack, and forgets it.
func (j *AlertJudge) endDay() {
	c := &j.counts
	attackers := c.attackers
	for _, s := range j.sources {
		if !s.attacks {
			continue
		}
		found := s.reports > 0
		c.attackers++
		c.found += count(found)
		c.withLow += count(s.low)
		c.inChains += count(s.chains)
		c.chainsFound += count(s.chains && found)
		c.reportsOfAttackers += s.reports
	}
	if c.attackers > attackers {
		for _, s := range j.sources {
			c.reports += s.reports
		}
		period := make([]Scored, len(j.triplets))
		for i, t := range j.triplets {
			period[i] = t.Scored
			c.lows += count(t.low)
			c.attacks += count(t.Attack)
			c.covered += count(t.Attack && t.source.reports > 0)
			c.low += count(t.Attack && t.low)
		}
		j.periods = append(j.periods, period)
	}
	j.triplets = j.triplets[:0]
	clear(j.index)
	clear(j.sources)
}

// Result ends the last day and returns what was found.
func (j *AlertJudge) Result() AlertResult {
	j.endDay()
	var all []Scored
	for _, p := range j.periods {
		all = append(all, p...)
	}
	c, days := &j.counts, len(j.periods)
	return AlertResult{
		Days: float64(days), Attackers: ratio(c.attackers, days),
		Reports: ratio(c.reports, days), ReportPrecision: ratio(c.reportsOfAttackers, c.reports),
		AttackersFound: ratio(c.found, c.attackers), TripletsCovered: ratio(c.covered, c.attacks), ChainsFound: ratio(c.chainsFound, c.inChains),
		Lows: ratio(c.lows, days), LowPrecision: ratio(c.low, c.lows),
		AttackersWithLow: ratio(c.withLow, c.attackers), TripletsFound: ratio(c.low, c.attacks),
		AP: AveragePrecision(all), Recall20: RecallAt(j.periods, 20),
	}
}

// count is 1 for what is true.
func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// ratio is NaN where there is nothing to divide by.
func ratio(n, of int) float64 {
	if of == 0 {
		return math.NaN()
	}
	return float64(n) / float64(of)
}
