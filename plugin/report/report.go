// Package report makes a page of scored sessions: one self-contained HTML file with the graph of hosts, the sources
// that were reported, the lowest scores, a histogram of scores and a timeline of low ones.
//
// It owns what is in the page and how it looks. It never knows where sessions come from.
package report

import (
	"cmp"
	"hash/maphash"
	"math"
	"slices"

	"flb-filter-rgcn/plugin/printable"
)

// Session is one session as it was scored. Its bytes may change after Add.
type Session struct {
	Source, Relation, Destination []byte
	Reason                        []byte  // "" where none was asked for
	Evidence                      string  // in a line; "" where there is none
	Score                         float64 // NaN: none yet
	Low                           bool
	Denied                        bool    // low because the list of judged sessions says so, whatever the score
	SourceAlert                   bool    // the source is reported with this session
	Risk                          float64 // of the source, in points; 0 when unknown
	Triplets                      int     // that these points come from; 0 when unknown
	Time                          int64   // unix nanoseconds, 0 when unknown
}

// NoScore is the score of a session that has none.
var NoScore = math.NaN()

// Data is what the page shows, in the form in which its script reads it.
type Data struct {
	Live      bool      `json:"live"`
	State     string    `json:"state"`   // of a live filter, as its health says; ""
	Problem   string    `json:"problem"` // likewise
	Since     int64     `json:"since"`   // start of a live filter, of which all but the graph is; unix milliseconds
	Records   uint64    `json:"records"` // all that were read
	Scored    uint64    `json:"scored"`
	Low       uint64    `json:"low"`
	Reported  uint64    `json:"reported"` // sessions at which a source was reported
	From      int64     `json:"from"`     // unix milliseconds; 0: unknown
	To        int64     `json:"to"`
	Threshold *float64  `json:"threshold"` // nil: unknown
	Nodes     []string  `json:"nodes"`
	Relations []string  `json:"relations"`
	Reasons   []string  `json:"reasons"`
	Edges     []Edge    `json:"edges"`
	Omitted   uint64    `json:"omitted"`  // distinct connections not drawn, at least
	Lowest    []int     `json:"lowest"`   // indices of edges, the lowest score first
	Evidence  []string  `json:"evidence"` // of each of these
	Lows      []Low     `json:"lows"`     // the last sessions with a low score, the newest first
	Alerts    []Alert   `json:"alerts"`   // the last sessions at which a source was reported, the newest first
	Histogram Histogram `json:"histogram"`
	Timeline  Timeline  `json:"timeline"`
}

// Edge is a distinct triplet: source, destination, relation, sessions, lowest score (or
// null), whether that was low, its reason, and the last time in unix milliseconds.
type Edge [8]any

// Low is a session with a low score: index of its edge, score (or null), time in unix milliseconds, reason.
type Low [4]any

// Alert is a session at which its source was reported: as Low, then the source's points and the triplets that they
// come from, both 0 when unknown.
type Alert [6]any

// Histogram counts sessions by score, in equal bins from 0 to 1.
type Histogram struct {
	Low   []uint64 `json:"low"`
	Other []uint64 `json:"other"`
}

// Bounds of a page. More lines than MaxEdges would be slow, and a grey disc.
const (
	MaxEdges  = 20_000
	maxLowest = 200
	MaxLows   = 1000 // sessions with a low score, the last ones
	MaxAlerts = 200  // sessions at which a source was reported, the last ones
	Bins      = 50   // of the histogram

	// Bounds of a Builder. Connections beyond them are counted, not kept.
	maxKept    = 10 * MaxEdges
	maxReasons = 1000
)

// Builder gathers sessions, in bounded memory however many there are.
type Builder struct {
	hash      maphash.Hash
	edges     map[uint64]*edge
	omitted   map[uint64]struct{}
	names     interner
	relations interner
	reasons   interner
	histogram [2][Bins]uint64      // others, low
	times     map[int64]*[2]uint64 // all and low, by time in units of timeStep
	byDay     bool                 // times has whole days
	lows      ring
	alerts    ring
	data      Data
	from, to  int64
	highest   float64 // of the scores that are below the threshold
}

type edge struct {
	source, destination, relation, reason int32
	evidence                              string
	count                                 uint64
	score                                 float64
	low                                   bool
	alert                                 bool // a source was reported with one of its sessions
	last                                  int64
}

// told is a session that is told of by itself: one with a low score, or one at which its source was reported.
type told struct {
	edge     *edge
	score    float64
	time     int64 // unix nanoseconds
	reason   int32
	risk     float64
	triplets int
}

// ring keeps the last sessions of many.
type ring struct {
	list []told
	next int // the place of the next one, once the ring is full
}

func (r *ring) add(s told, most int) {
	if len(r.list) < most {
		r.list = append(r.list, s)
		return
	}
	r.list[r.next] = s
	r.next = (r.next + 1) % most
}

// interner numbers names in the order they come.
type interner struct {
	of   map[string]int32
	list []string
}

func (n *interner) id(name []byte) int32 {
	if i, ok := n.of[string(name)]; ok {
		return i
	}
	if n.of == nil {
		n.of = map[string]int32{}
	}
	i := int32(len(n.list))
	n.of[string(name)] = i
	n.list = append(n.list, printable.Name(string(name), longest))
	return i
}

// longest is how many characters of a name are shown.
const longest = 256

// NewBuilder returns an empty Builder.
func NewBuilder() *Builder {
	b := &Builder{edges: map[uint64]*edge{}, omitted: map[uint64]struct{}{}, times: map[int64]*[2]uint64{}, highest: math.Inf(-1)}
	b.hash.SetSeed(maphash.MakeSeed())
	return b
}

// Skip counts a record that is no scored session.
func (b *Builder) Skip() { b.data.Records++ }

// plausible is the session without numbers that no filter writes: records come from anywhere, and the page has no
// infinity.
func plausible(s *Session) *Session {
	out := *s
	if !(out.Score >= 0 && out.Score <= 1) {
		out.Score = math.NaN()
	}
	if math.IsNaN(out.Risk) || math.IsInf(out.Risk, 0) {
		out.Risk = 0
	}
	return &out
}

// Add counts a session. A score outside 0 to 1 is none.
func (b *Builder) Add(s *Session) {
	s = plausible(s)
	b.data.Records++
	scored := !math.IsNaN(s.Score)
	low := 0
	if s.Low { // if a list calls it bad, without a score too
		b.data.Low++
	}
	if scored {
		b.data.Scored++
		if s.Low {
			low = 1
			if !s.Denied {
				b.highest = max(b.highest, s.Score)
			}
		}
		b.histogram[low][min(max(int(s.Score*Bins), 0), Bins-1)]++
	}
	if s.SourceAlert {
		b.data.Reported++
	}
	if s.Time > 0 {
		if b.from == 0 || s.Time < b.from {
			b.from = s.Time
		}
		b.to = max(b.to, s.Time)
		b.addTime(s.Time, low)
	}
	b.Connect(s, 1)
}

// reason numbers a reason. The filter has some ten; records from elsewhere may have any, and those beyond maxReasons
// count as none.
func (b *Builder) reason(r []byte) int32 {
	if _, ok := b.reasons.of[string(r)]; !ok && len(b.reasons.list) >= maxReasons {
		r = nil
	}
	return b.reasons.id(r)
}

// Connect adds the session's triplet, which stands for the given number of sessions, without counting them.
func (b *Builder) Connect(s *Session, sessions uint64) {
	b.hash.Reset()
	for _, name := range [][]byte{s.Source, s.Relation, s.Destination} {
		b.hash.Write(name)
		b.hash.WriteByte(0)
	}
	key := b.hash.Sum64()
	e, reason := b.edges[key], b.reason(s.Reason)
	if e == nil {
		room := maxKept
		if s.Low || s.SourceAlert { // the page is there for these
			room = 2 * maxKept
		}
		if len(b.edges) >= room {
			if len(b.omitted) < maxKept {
				b.omitted[key] = struct{}{}
			}
			return
		}
		e = &edge{source: b.names.id(s.Source), destination: b.names.id(s.Destination), relation: b.relations.id(s.Relation), reason: reason, score: s.Score, low: s.Low, evidence: s.Evidence}
		b.edges[key] = e
	}
	this := told{e, s.Score, s.Time, reason, s.Risk, s.Triplets}
	if s.Low {
		b.lows.add(this, MaxLows)
	}
	if s.SourceAlert {
		e.alert = true
		b.alerts.add(this, MaxAlerts)
	}
	e.count += sessions
	e.last = max(e.last, s.Time)
	// The lowest stays, and a low one before any that is not: thresholds change from training to training.
	if s.Low && !e.low || s.Low == e.low && (s.Score < e.score || math.IsNaN(e.score)) {
		e.score, e.low, e.reason, e.evidence = s.Score, s.Low, reason, s.Evidence
	}
}

// Data returns what was gathered. The threshold is known only as the highest of the scores below it.
func (b *Builder) Data() *Data {
	d := b.data
	d.From, d.To = b.from/1e6, b.to/1e6
	if !math.IsInf(b.highest, -1) {
		at := b.highest
		d.Threshold = &at
	}
	b.drawEdges(&d)
	d.Histogram = Histogram{Low: b.histogram[1][:], Other: b.histogram[0][:]}
	d.Timeline = b.timeline()
	return &d
}

// drawEdges picks the edges to draw: those with a low score, the lowest first, then those at which a source was
// reported, then those of the same hosts, then the busiest.
func (b *Builder) drawEdges(d *Data) {
	all := make([]*edge, 0, len(b.edges))
	marked := make([]bool, len(b.names.list))
	for _, e := range b.edges {
		all = append(all, e)
		if e.low || e.alert {
			marked[e.source], marked[e.destination] = true, true
		}
	}
	rank := func(e *edge) int {
		switch {
		case e.low:
			return 0
		case e.alert:
			return 1
		case marked[e.source] || marked[e.destination]:
			return 2
		}
		return 3
	}
	names := func(a, b *edge) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.destination, b.destination), cmp.Compare(a.relation, b.relation))
	}
	slices.SortFunc(all, func(a, b *edge) int {
		if c := cmp.Compare(rank(a), rank(b)); c != 0 {
			return c
		}
		if a.low {
			return cmp.Or(cmp.Compare(a.score, b.score), names(a, b))
		}
		return cmp.Or(cmp.Compare(b.count, a.count), names(a, b))
	})
	d.Omitted = uint64(max(len(all)-MaxEdges, 0) + len(b.omitted))
	all = all[:min(len(all), MaxEdges)]

	// Names are numbered anew, without those of edges that are not drawn.
	var nodes, relations, reasons renumber
	d.Edges = make([]Edge, len(all))
	numbers := make(map[*edge]int, len(b.lows.list)) // of edges that sessions are told of
	for i, e := range all {
		if e.low || e.alert {
			numbers[e] = i
		}
		low := 0
		if e.low {
			low = 1
		}
		d.Edges[i] = Edge{
			nodes.of(e.source, &b.names), nodes.of(e.destination, &b.names), relations.of(e.relation, &b.relations),
			e.count, round(e.score), low, reasons.of(e.reason, &b.reasons), e.last / 1e6,
		}
	}
	newestFirst := func(list []told) []told {
		drawn := slices.DeleteFunc(slices.Clone(list), func(s told) bool { _, ok := numbers[s.edge]; return !ok })
		slices.SortStableFunc(drawn, func(a, b told) int { return cmp.Compare(b.time, a.time) })
		return drawn
	}
	d.Lows, d.Alerts = []Low{}, []Alert{}
	for _, s := range newestFirst(b.lows.list) {
		d.Lows = append(d.Lows, Low{numbers[s.edge], round(s.score), s.time / 1e6, reasons.of(s.reason, &b.reasons)})
	}
	for _, s := range newestFirst(b.alerts.list) {
		d.Alerts = append(d.Alerts, Alert{
			numbers[s.edge], round(s.score), s.time / 1e6, reasons.of(s.reason, &b.reasons), s.risk, s.triplets,
		})
	}
	d.Nodes, d.Relations, d.Reasons = nodes.list, relations.list, reasons.list
	for _, list := range []*[]string{&d.Nodes, &d.Relations, &d.Reasons} {
		if *list == nil {
			*list = []string{}
		}
	}

	d.Lowest = []int{}
	for i, e := range all {
		if !math.IsNaN(e.score) {
			d.Lowest = append(d.Lowest, i)
		}
	}
	slices.SortStableFunc(d.Lowest, func(i, j int) int { return cmp.Compare(all[i].score, all[j].score) })
	d.Lowest = d.Lowest[:min(len(d.Lowest), maxLowest)]
	d.Evidence = make([]string, len(d.Lowest))
	for i, j := range d.Lowest {
		d.Evidence[i] = all[j].evidence
	}
}

// round leaves six decimals of a score, and is nil where there is none.
func round(score float64) any {
	if math.IsNaN(score) {
		return nil
	}
	return math.Round(score*1e6) / 1e6
}

// renumber gives the names that are used numbers of their own.
type renumber struct {
	at   map[int32]int32
	list []string
}

func (r *renumber) of(i int32, names *interner) int32 {
	if r.at == nil {
		r.at = map[int32]int32{}
	}
	j, ok := r.at[i]
	if !ok {
		j = int32(len(r.list))
		r.at[i] = j
		r.list = append(r.list, names.list[i])
	}
	return j
}
