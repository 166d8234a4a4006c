// Package evidence holds what is reported about a session with a low score besides its reason: how rare such a score
// is, and what the source and the destination did before.
//
// It owns the names, the form and the order of these fields, in records and for people. It never knows where they come
// from.
package evidence

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tinylib/msgp/msgp"

	"flb-filter-rgcn/plugin/printable"
)

// The fields, in the order in which records have them.
const (
	LowerPerDay = iota
	PairFirstSeen
	PairLastSeen
	PairDays
	SourceDestinations
	DestinationSources
	SourceRelations
	SourceSources
	SourceReachedBy
	Group
	GroupSources
	GroupToDestination
	Peers
	Count
)

// Names are those of the fields, without what the style of names puts before them.
var Names = [Count]string{
	LowerPerDay:        "lower_per_day",
	PairFirstSeen:      "pair_first_seen",
	PairLastSeen:       "pair_last_seen",
	PairDays:           "pair_days",
	SourceDestinations: "source_destinations",
	DestinationSources: "destination_sources",
	SourceRelations:    "source_relations",
	SourceSources:      "source_sources",
	SourceReachedBy:    "source_reached_by",
	Group:              "group",
	GroupSources:       "group_sources",
	GroupToDestination: "group_to_destination",
	Peers:              "peers",
}

// most is how many names a list of them has.
const most = 3

// Evidence is what was known about one session just before it.
type Evidence struct {
	LowerPerDay         float64      // distinct triplets a day that score so low or lower; NaN: not known
	PairFirst, PairLast int64        // when the source met the destination before, unix nanoseconds; 0: never, or not known
	PairDays            int          // days on which it did, with that of the session; 0: not known
	Destinations        int          // of the source, others than this one
	Sources             int          // of the destination, others than this one
	Relations           [most]string // which the source uses most; "": no more
	SourceSources       int          // hosts that connect to the source: above 0, it is a server as well
	ReachedBy           string       // the host from which the oddest session of the last day came to the source; "": none did
	Group               string       // what the source has in common with others, such as its network; "": nothing that is known
	GroupSources        int          // others that have it
	GroupToDestination  int          // those of them that use the destination
	Peers               [most]string // sources that use the destination, those that are most like this one first; "": no more
}

// has tells whether a field has a value.
func (e *Evidence) has(field int) bool {
	switch field {
	case LowerPerDay:
		return !math.IsNaN(e.LowerPerDay)
	case PairFirstSeen, PairLastSeen:
		return e.PairFirst > 0
	case PairDays:
		return e.PairDays > 0
	case SourceRelations:
		return e.Relations[0] != ""
	case SourceSources:
		return e.SourceSources > 0
	case SourceReachedBy:
		return e.ReachedBy != ""
	case Group, GroupSources, GroupToDestination:
		return e.Group != ""
	case Peers:
		return e.Peers[0] != ""
	}
	return true
}

// Len is how many of the fields have a value: those that AppendTo appends.
func (e *Evidence) Len() (n int) {
	for field := range Count {
		if e.has(field) {
			n++
		}
	}
	return n
}

// AppendTo appends the fields that have a value to msgpack. keys are their names as such.
func (e *Evidence) AppendTo(out []byte, keys *[Count][]byte) []byte {
	for field := range Count {
		if !e.has(field) {
			continue
		}
		out = append(out, keys[field]...)
		switch field {
		case LowerPerDay:
			out = msgp.AppendFloat64(out, round(e.LowerPerDay))
		case PairFirstSeen:
			out = appendTime(out, e.PairFirst)
		case PairLastSeen:
			out = appendTime(out, e.PairLast)
		case PairDays:
			out = msgp.AppendInt(out, e.PairDays)
		case SourceDestinations:
			out = msgp.AppendInt(out, e.Destinations)
		case DestinationSources:
			out = msgp.AppendInt(out, e.Sources)
		case SourceRelations:
			out = appendNames(out, &e.Relations)
		case SourceSources:
			out = msgp.AppendInt(out, e.SourceSources)
		case SourceReachedBy:
			out = msgp.AppendString(out, e.ReachedBy)
		case Group:
			out = msgp.AppendString(out, e.Group)
		case GroupSources:
			out = msgp.AppendInt(out, e.GroupSources)
		case GroupToDestination:
			out = msgp.AppendInt(out, e.GroupToDestination)
		case Peers:
			out = appendNames(out, &e.Peers)
		}
	}
	return out
}

// round leaves three decimals.
func round(v float64) float64 { return math.Round(v*1e3) / 1e3 }

func appendTime(out []byte, t int64) []byte {
	var room [len(time.RFC3339)]byte
	return msgp.AppendStringFromBytes(out, time.Unix(0, t).UTC().AppendFormat(room[:0], time.RFC3339))
}

func appendNames(out []byte, names *[most]string) []byte {
	n := uint32(0)
	for n < most && names[n] != "" {
		n++
	}
	out = msgp.AppendArrayHeader(out, n)
	for _, name := range names[:n] {
		out = msgp.AppendString(out, name)
	}
	return out
}

// Parse reads the fields of a record; of those that are lists, list returns up to so many names. It is not ok where the
// record has none.
func Parse(values [][]byte, list func(field, most int) []string) (e Evidence, ok bool) {
	e.LowerPerDay = math.NaN()
	if v, err := strconv.ParseFloat(string(values[LowerPerDay]), 64); err == nil {
		e.LowerPerDay = v
	}
	moment := func(text []byte) int64 {
		t, err := time.Parse(time.RFC3339, string(text))
		if err != nil {
			return 0
		}
		return t.UnixNano()
	}
	e.PairFirst, e.PairLast = moment(values[PairFirstSeen]), moment(values[PairLastSeen])
	number := func(field int) int {
		n, err := strconv.Atoi(string(values[field]))
		ok = ok || err == nil
		return n
	}
	e.PairDays, e.Destinations, e.Sources = number(PairDays), number(SourceDestinations), number(DestinationSources)
	e.SourceSources, e.GroupSources, e.GroupToDestination = number(SourceSources), number(GroupSources), number(GroupToDestination)
	e.ReachedBy, e.Group = string(values[SourceReachedBy]), string(values[Group])
	copy(e.Relations[:], list(SourceRelations, most))
	copy(e.Peers[:], list(Peers, most))
	return e, ok
}

// String is the evidence for people, in one line.
func (e *Evidence) String() string {
	var parts []string
	add := func(format string, a ...any) { parts = append(parts, fmt.Sprintf(format, a...)) }
	date := func(t int64) string { return time.Unix(0, t).UTC().Format(time.DateOnly) }
	switch {
	case e.PairFirst > 0 && date(e.PairFirst) == date(e.PairLast):
		add("met before, on %s only", date(e.PairFirst))
	case e.PairFirst > 0:
		add("met before, %s to %s, on %s counting this one", date(e.PairFirst), date(e.PairLast), plural(e.PairDays, "day", "days"))
	case e.PairDays > 0:
		add("never met before")
	}
	text := "source: " + plural(e.Destinations, "other destination", "other destinations")
	if names, _ := joined(&e.Relations); names != "" {
		text += ", mostly by " + names
	}
	switch n := e.SourceSources; {
	case n == 1:
		text += "; 1 host connects to it"
	case n > 1:
		text += fmt.Sprintf("; %d hosts connect to it", n)
	}
	if e.ReachedBy != "" {
		text += "; reached by an odd session of " + printable.Name(e.ReachedBy, widest)
	}
	parts = append(parts, text)
	text = "destination: " + plural(e.Sources, "other source", "other sources")
	switch names, n := joined(&e.Peers); n {
	case 0:
	case 1:
		text += ", of which " + names + " is most like this one"
	default:
		text += ", of which " + names + " are most like this one"
	}
	parts = append(parts, text)
	if e.Group != "" {
		some, use := "none", "uses"
		if n := e.GroupToDestination; n > 0 {
			some = strconv.Itoa(n)
			if n > 1 {
				use = "use"
			}
		}
		add("%s of %d others in %s %s this destination", some, e.GroupSources, printable.Name(e.Group, widest), use)
	}
	switch n := e.LowerPerDay; {
	case n == 0:
		add("hardly any other scores so low")
	case n < 0.1:
		add("less than 0.1 a day score so low")
	case n >= 0.1: // and not NaN
		add("%.1f a day score so low", n)
	}
	return strings.Join(parts, "; ")
}

// joined returns a list of names for people, and how many there are.
func joined(names *[most]string) (text string, n int) {
	for n < most && names[n] != "" {
		if n > 0 {
			text += ", "
		}
		text += printable.Name(names[n], widest)
		n++
	}
	return text, n
}

// widest is how many characters of a name are shown.
const widest = 60

func plural(n int, one, many string) string {
	switch n {
	case 0:
		return "no " + one
	case 1:
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
