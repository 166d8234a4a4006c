package evidence

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"
)

func keys() (k [Count][]byte) {
	for i, name := range Names {
		k[i] = msgp.AppendString(nil, "score_"+name)
	}
	return k
}

func at(text string) int64 {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t.UnixNano()
}

var samples = []struct {
	name string
	e    Evidence
	json string
	text string
}{
	{"all", Evidence{
		LowerPerDay: 2.34567, PairFirst: at("2026-03-02T08:00:00Z"), PairLast: at("2026-03-09T10:00:00Z"), PairDays: 4, Destinations: 12, Sources: 1,
		Relations: [3]string{"OpenSSH", "Go"}, SourceSources: 14, ReachedBy: "10.0.0.9", Group: "10.0.0.0/24", GroupSources: 180, GroupToDestination: 12, Peers: [3]string{"10.0.0.1", "10.0.0.2", "10.0.0.3"},
	}, `{"score_lower_per_day":2.346,"score_pair_first_seen":"2026-03-02T08:00:00Z","score_pair_last_seen":"2026-03-09T10:00:00Z","score_pair_days":4,` +
		`"score_source_destinations":12,"score_destination_sources":1,"score_source_relations":["OpenSSH","Go"],"score_source_sources":14,"score_source_reached_by":"10.0.0.9",` +
		`"score_group":"10.0.0.0/24","score_group_sources":180,"score_group_to_destination":12,"score_peers":["10.0.0.1","10.0.0.2","10.0.0.3"]}`,
		"met before, 2026-03-02 to 2026-03-09, on 4 days counting this one; source: 12 other destinations, mostly by OpenSSH, Go; 14 hosts connect to it; reached by an odd session of 10.0.0.9; destination: 1 other source, of which 10.0.0.1, 10.0.0.2, 10.0.0.3 are most like this one; 12 of 180 others in 10.0.0.0/24 use this destination; 2.3 a day score so low"},
	{"met on one day alone", Evidence{
		LowerPerDay: math.NaN(), PairFirst: at("2026-03-11T08:00:00Z"), PairLast: at("2026-03-11T23:00:00Z"), PairDays: 2, Destinations: 1, Sources: 1,
	}, `{"score_pair_first_seen":"2026-03-11T08:00:00Z","score_pair_last_seen":"2026-03-11T23:00:00Z","score_pair_days":2,` +
		`"score_source_destinations":1,"score_destination_sources":1}`,
		"met before, on 2026-03-11 only; source: 1 other destination; destination: 1 other source"},
	{"a stranger", Evidence{LowerPerDay: 0, PairDays: 1},
		`{"score_lower_per_day":0,"score_pair_days":1,"score_source_destinations":0,"score_destination_sources":0}`,
		"never met before; source: no other destination; destination: no other source; hardly any other scores so low"},
	{"a server of a group that does not go there", Evidence{LowerPerDay: math.NaN(), Destinations: 1, Sources: 2, SourceSources: 1, Group: "web-*", GroupSources: 3},
		`{"score_source_destinations":1,"score_destination_sources":2,"score_source_sources":1,"score_group":"web-*","score_group_sources":3,"score_group_to_destination":0}`,
		"source: 1 other destination; 1 host connects to it; destination: 2 other sources; none of 3 others in web-* uses this destination"},
	{"one of the group goes there", Evidence{LowerPerDay: math.NaN(), Destinations: 1, Sources: 2, Group: "role=build", GroupSources: 3, GroupToDestination: 1},
		`{"score_source_destinations":1,"score_destination_sources":2,"score_group":"role=build","score_group_sources":3,"score_group_to_destination":1}`,
		"source: 1 other destination; destination: 2 other sources; 1 of 3 others in role=build uses this destination"},
	{"what is not known", Evidence{LowerPerDay: math.NaN(), Destinations: 3, Sources: 2},
		`{"score_source_destinations":3,"score_destination_sources":2}`, "source: 3 other destinations; destination: 2 other sources"},
	{"a name with an escape sequence", Evidence{LowerPerDay: math.NaN(), Relations: [3]string{"\x1b[2J"}, Peers: [3]string{strings.Repeat("x", 100)}},
		`{"score_source_destinations":0,"score_destination_sources":0,"score_source_relations":["\u001b[2J"],"score_peers":["` + strings.Repeat("x", 100) + `"]}`,
		`source: no other destination, mostly by "\x1b[2J"; destination: no other source, of which ` + strings.Repeat("x", 59) + "… is most like this one"},
}

func TestAppendTo(t *testing.T) {
	k := keys()
	for _, c := range samples {
		out := msgp.AppendMapHeader(nil, uint32(c.e.Len()))
		out = c.e.AppendTo(out, &k)
		var b strings.Builder
		if rest, err := msgp.UnmarshalAsJSON(&b, out); err != nil || len(rest) > 0 || b.String() != c.json {
			t.Errorf("%s: %s, %d bytes left, %v", c.name, b.String(), len(rest), err)
		}
		if s := c.e.String(); s != c.text {
			t.Errorf("%s: %s", c.name, s)
		}
		if n := testing.AllocsPerRun(100, func() { out = c.e.AppendTo(out[:0], &k) }); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}

func TestParse(t *testing.T) {
	text := func(s ...string) (values [][]byte) {
		for _, v := range s {
			if v == "" {
				values = append(values, nil)
			} else {
				values = append(values, []byte(v))
			}
		}
		return values
	}
	lists := map[int][]string{SourceRelations: {"OpenSSH", "Go"}, Peers: {"10.0.0.1", "10.0.0.2", "10.0.0.3"}}
	list := func(field, most int) []string { return lists[field][:min(most, len(lists[field]))] }
	none := func(field, most int) []string { return nil }
	e, ok := Parse(text("2.346", "2026-03-02T08:00:00Z", "2026-03-09T10:00:00Z", "4", "12", "1", "OpenSSH", "14", "10.0.0.9", "10.0.0.0/24", "180", "12", "10.0.0.1"), list)
	if !ok || e.String() != samples[0].text {
		t.Errorf("%v %s", ok, e.String())
	}
	if e, ok := Parse(text("", "", "", "", "", "", "", "", "", "", "", "", ""), none); ok {
		t.Errorf("nothing is evidence: %s", e.String())
	}
	if e, ok := Parse(text("x", "x", "x", "x", "3", "2", "", "x", "", "", "x", "x", ""), none); !ok || e.String() != samples[5].text {
		t.Errorf("%v %s", ok, e.String())
	}
}
