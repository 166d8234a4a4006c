package modeltest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/num"
)

// Roomy are bounds of a graph that no test reaches.
var Roomy = graphbuf.Config{MaxNodes: 1 << 20, MaxRelations: 1 << 10, MaxEdges: 1 << 20}

// Graph returns a graph that has observed the events.
func Graph(t testing.TB, events []graphbuf.Event) *graphbuf.Graph {
	t.Helper()
	g, err := graphbuf.New(Roomy)
	if err != nil {
		t.Fatal(err)
	}
	g.Observe(events, make([]graphbuf.Ref, len(events)))
	return g
}

// Notebook reads the notebook's sessions, or as many simulated ones: source, client, destination, time.
func Notebook(t testing.TB) []graphbuf.Event {
	t.Helper()
	var out []graphbuf.Event
	for _, line := range strings.Split(strings.TrimSpace(string(samples.Sessions(t))), "\n") {
		c := strings.Split(line, "\t")
		ts, err := strconv.ParseFloat(c[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, graphbuf.Event{Source: []byte(c[2]), Relation: []byte(c[8]), Destination: []byte(c[4]), Time: int64(ts * 1e9)})
	}
	return out
}

// Teams makes sessions of hosts that mostly keep to the servers of their team.
func Teams(seed uint64, hosts, events int) []graphbuf.Event {
	rng := rand.New(rand.NewPCG(seed, 1))
	out := make([]graphbuf.Event, events)
	for i := range out {
		h := rng.IntN(hosts)
		server := fmt.Sprintf("server-%d-%d", h%4, rng.IntN(3))
		if rng.IntN(20) == 0 {
			server = fmt.Sprintf("shared-%d", rng.IntN(2))
		}
		out[i] = graphbuf.Event{
			Source: fmt.Appendf(nil, "host-%d", h), Relation: fmt.Appendf(nil, "client-%d", (h/4)%3),
			Destination: []byte(server), Time: int64(i) * 60e9,
		}
	}
	return out
}

// Hub makes sessions of which many go from and to the same hosts, so that sums have several levels.
func Hub(seed uint64, events int) []graphbuf.Event {
	out := Teams(seed, 300, events)
	for i := range out {
		if i%3 == 0 {
			out[i].Destination = []byte("hub")
		}
		if i%4 == 0 {
			out[i].Source, out[i].Destination = []byte("bastion"), fmt.Appendf(nil, "server-%d", i%700)
		}
		if i%5 == 0 { // a host of its own day, so that there is something near
			out[i].Source = fmt.Appendf(nil, "new-%d", i/20)
		}
	}
	return out
}

// Distance is the largest difference of two tensors against the largest of their values.
func Distance(a, b []float32) float64 {
	var most, size float64
	for i := range a {
		d := math.Abs(float64(a[i] - b[i]))
		if !(d <= most) {
			most = d
		}
		size = max(size, math.Abs(float64(a[i])))
	}
	if size == 0 {
		return most
	}
	return most / size
}

// ByLetters are so many kinds of features: the letters of a name, from its end.
type ByLetters int

func (n ByLetters) Kinds() (kinds []string) {
	for i := range n {
		kinds = append(kinds, fmt.Sprint("letter ", i))
	}
	return kinds
}

func (ByLetters) Known([]byte) bool { return true }

func (n ByLetters) Most() int { return int(n) }

func (n ByLetters) Append(dst []uint64, host []byte) []uint64 {
	for i := range min(int(n), len(host)) {
		dst = append(dst, uint64(i)<<8|uint64(host[len(host)-1-i]))
	}
	return dst
}

// Joined are so many features of each host, of two kinds, as a name has them that is joined of several. Some tens of hosts
// have each.
type Joined int

func (Joined) Kinds() []string { return []string{"narrow", "wide"} }

func (Joined) Known([]byte) bool { return true }

func (n Joined) Most() int { return int(n) }

func (n Joined) Append(dst []uint64, host []byte) []uint64 {
	for i := range n {
		h := num.FNV1a(num.FNVStart+uint64(i), host)
		dst = append(dst, uint64(i)<<32|(h^h>>32)%200)
	}
	return dst
}

// ByTeam is the team that the events of teams give a host, by its number, and nothing of others.
type ByTeam struct{}

func (ByTeam) Kinds() []string { return []string{"team"} }

func (ByTeam) Known([]byte) bool { return true }

func (ByTeam) Most() int { return 1 }

func (ByTeam) Append(dst []uint64, host []byte) []uint64 {
	var n int
	if _, err := fmt.Sscanf(string(host), "host-%d", &n); err == nil {
		dst = append(dst, uint64(n%4))
	}
	return dst
}

// Constant gives every host the same feature, without allocating.
type Constant struct{}

func (Constant) Kinds() []string                           { return []string{"all"} }
func (Constant) Known([]byte) bool                         { return true }
func (Constant) Most() int                                 { return 1 }
func (Constant) Append(dst []uint64, host []byte) []uint64 { return append(dst, 1) }

// SmallOffice makes the sessions of a network of 16 triplets, in order of time: six people who use two of four servers
// each on most days, and a host that comes to each server every hour.
func SmallOffice(days int) []graphbuf.Event {
	rng := rand.New(rand.NewPCG(7, 1))
	var out []graphbuf.Event
	for hour := range 24 * days {
		at := int64(hour) * 3600e9
		for server := range 4 {
			destination := fmt.Appendf(nil, "server-%d", server)
			out = append(out, graphbuf.Event{Source: []byte("backup"), Relation: []byte("SSH-2.0-paramiko_3.4.0"), Destination: destination, Time: at + int64(server)*1e9})
			for person := range 6 {
				if uses := server == person%4 || server == (person+1)%4; uses && hour%24 >= 8 && hour%24 < 18 && rng.IntN(8) == 0 {
					out = append(out, graphbuf.Event{Source: fmt.Appendf(nil, "laptop-%d", person), Relation: []byte("SSH-2.0-OpenSSH_9.6"), Destination: destination, Time: at + int64(10+person)*1e9})
				}
			}
		}
	}
	return out
}
