package elastic

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/model/eval"
)

// The days of the simulated enterprise: so many without attacks are history, two with attacks are judged.
const (
	fleetHistory = 7
	fleetAgents  = 3
)

// fleet has three agents with a third of an enterprise each, by destination, ship what they score to the server, from
// which a trainer learns. An agent, the server and the trainer are killed in turn while records flow; a state is put there
// that is cut, and ones with a bit changed. No record is lost, all have a score, and the lowest scores find about as much
// as those of one machine that has all sessions.
func fleet(t *testing.T, s *server) {
	if !haveFluentBit() {
		t.Skip("fluent-bit is not on the PATH")
	}
	rgcn, dir := environment(t, "RGCN_BIN"), t.TempDir()
	index := "logs-ssh.rgcn-fleet"
	days := enterprise(t, rgcn, dir)
	past, first, second := days[0], days[1], days[2]
	place, key, trained := filepath.Join(dir, "published"), filepath.Join(dir, "fleet.key"), filepath.Join(dir, "trained")
	pending := filepath.Join(dir, "pending") // what is published here, nobody takes
	for _, d := range []string{place, pending} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	published := filepath.Join(place, "state.rgcn")
	run(t, rgcn, "keygen", key)
	train := []string{"train", "-state", trained, "-from", s.url() + "/" + index, "-publish", place, "-key", key}

	s.bulk(t, index, past)
	run(t, rgcn, train...)
	before := read(t, published)
	var agents []*fleetAgent
	for i := range fleetAgents {
		a := &fleetAgent{t: t, dir: t.TempDir()}
		a.configure(s, index, place, key+".pub")
		a.start()
		agents = append(agents, a)
		a.send(share(first, i)[:1])
		a.untilOut("the first record of a new agent", 1)
	}

	// An agent is killed with records on their way, then the server. The others go on, and what a trainer cannot learn
	// leaves the published state as it is.
	for i, a := range agents {
		a.send(share(first, i)[1:200])
	}
	agents[0].untilOut("some records", 100)
	agents[0].kill()
	for i, a := range agents {
		a.send(share(first, i)[200:400])
	}
	s.kill()
	agents[0].start()
	held := func(i int) int { return len(share(first, i)) - 50 } // the rest of the day is for later
	for i, a := range agents {
		a.send(share(first, i)[400:held(i)])
		a.untilOut("records without a server", held(i))
	}
	if out, err := exec.Command(rgcn, train...).CombinedOutput(); err == nil || read(t, published) != before {
		t.Errorf("a training without a server: %v\n%s", err, out)
	}
	s.start()
	until(t, "the server has all records so far", func() bool { return len(s.uids(index, first)) == len(first)-50*fleetAgents },
		func() string { return missing(s.uids(index, first), agents) })

	// A trainer that is killed leaves the published state as it is. The next one goes on. What it brings is refused as long
	// as half of it is there, and with a bit of its header or payload changed.
	killAt(t, rgcn, train, "documents in")
	if read(t, published) != before {
		t.Error("a trainer that was killed published something")
	}
	run(t, rgcn, append(slices.Clone(train), "-publish", pending)...)
	whole := read(t, filepath.Join(pending, "state.rgcn"))
	for n, bad := range []string{whole[:len(whole)/2], flip(whole, 40), flip(whole, len(whole)*3/4)} {
		var looks []int
		replace(t, published, bad)
		for _, a := range agents {
			looks = append(looks, a.refused())
		}
		for i, a := range agents {
			// The first of two looks may have begun before the state lay there.
			until(t, "a look refuses it", func() bool { return a.refused() >= looks[i]+2 }, a.said)
			at := held(i) + 10*n
			a.send(share(first, i)[at : at+10])
			a.untilOut("records by the state before", at+10)
		}
	}
	for i, a := range agents {
		a.untilSaid("is refused", 1)
		a.send(share(first, i)[held(i)+30:])
		a.untilOut("all records of a day", len(share(first, i)))
	}
	until(t, "the server has all records of a day", func() bool { return len(s.uids(index, first)) == len(first) },
		func() string { return missing(s.uids(index, first), agents) })
	run(t, rgcn, train...)
	for i, a := range agents {
		a.untilSaid("is in order again", 1)
		a.send(share(second, i))
		a.untilOut("all records of two days", len(share(first, i))+len(share(second, i)))
	}
	until(t, "the server has all records", func() bool { return len(s.uids(index, second)) == len(second) },
		func() string {
			found := s.uids(index, second)
			maps.Copy(found, s.uids(index, first))
			return missing(found, agents)
		})

	scored := make([][]session, 2)
	for i, a := range agents {
		all := a.sessions()
		if all[0].Score == 0 || len(all) != len(share(first, i))+len(share(second, i)) {
			t.Errorf("agent %d: %d records, want %d; the first: %+v", i, len(all), len(share(first, i))+len(share(second, i)), all[0])
		}
		for _, v := range all {
			if v.NoScore {
				t.Fatalf("agent %d: no score: %+v", i, v)
			}
			day := 0
			if !v.time().Before(midnight(second)) {
				day = 1
			}
			scored[day] = append(scored[day], v)
		}
		t.Logf("agent %d: %d records in, %d out, %d of them twice after it was killed", i, len(share(first, i))+len(share(second, i)), len(all), a.twice)
	}
	compare(t, rgcn, scored, past, first, second)
}

// compare judges what the fleet gave low scores beside one machine and beside agents alone. Both train when the fleet's
// trainer does: before each of the two days, on all of their sessions so far.
func compare(t *testing.T, rgcn string, fleet [][]session, past, first, second []string) {
	t.Helper()
	learned := slices.Concat(past, first)
	replay := func(of func([]string) []string) [][]session {
		return [][]session{replayed(t, rgcn, of(past), of(first)), replayed(t, rgcn, of(learned), of(second))}
	}
	one := replay(func(all []string) []string { return all })
	alone := make([][]session, 2)
	for i := range fleetAgents {
		for day, some := range replay(func(all []string) []string { return share(all, i) }) {
			alone[day] = append(alone[day], some...)
		}
	}
	judge := func(name string, of [][]session) (precision, recall float64) {
		var days [][]eval.Scored
		for _, day := range of {
			days = append(days, distinct(day))
		}
		precision, recall = eval.AveragePrecision(slices.Concat(days...)), eval.RecallAt(days, 20)
		t.Logf("%s: average precision %.3f, recall at 20 a day %.2f", name, precision, recall)
		return precision, recall
	}
	precision, recall := judge("one machine", one)
	fleetPrecision, fleetRecall := judge("fleet", fleet)
	judge("agents alone", alone) // two days are too few to tell by how much: rgcn eval -fleet does
	if fleetPrecision < precision-0.1 || fleetRecall < recall-0.1 {
		t.Errorf("a fleet has %.3f and %.2f, one machine %.3f and %.2f", fleetPrecision, fleetRecall, precision, recall)
	}
}

// replayed are the sessions of a day, scored by what was learned from others.
func replayed(t *testing.T, rgcn string, learned, day []string) []session {
	t.Helper()
	dir := t.TempDir()
	in, out, state := filepath.Join(dir, "in"), filepath.Join(dir, "out"), filepath.Join(dir, "state")
	write(t, in, strings.Join(learned, ""))
	run(t, rgcn, "train", "-q", "-state", state, in)
	write(t, in, strings.Join(day, ""))
	run(t, rgcn, "replay", "-q", "-state", state, "-set", "train_interval=0", "-o", out, in)
	return decode(t, out)
}

// distinct are the distinct triplets of a day, each by its first session.
func distinct(day []session) (all []eval.Scored) {
	slices.SortStableFunc(day, func(a, b session) int { return (&a).time().Compare((&b).time()) })
	seen := map[string]bool{}
	for _, v := range day {
		if key := v.Source + " " + v.Client + " " + v.Dest; !seen[key] {
			seen[key] = true
			all = append(all, eval.Scored{Score: v.Score, Attack: v.Label != ""})
		}
	}
	return all
}

// enterprise simulates one, which begins on a Monday, so that every day of the year gives the same sessions but for whole
// weeks, and returns the lines of its history and of each of the days that are judged.
func enterprise(t *testing.T, rgcn, dir string) (days [3][]string) {
	t.Helper()
	start := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -fleetHistory-2)
	start = start.AddDate(0, 0, -(int(start.Weekday())+6)%7)
	log := filepath.Join(dir, "log")
	run(t, rgcn, "simulate", "-q", "-work-weekends", "-days", fmt.Sprint(fleetHistory+2), "-attack-start", fmt.Sprint(fleetHistory), "-hosts", "300", "-seed", "7",
		"-start", start.Format(time.DateOnly), "-o", log)
	for line := range strings.Lines(read(t, log)) {
		v := parse(t, line)
		day := int(v.time().Sub(start) / (24 * time.Hour))
		days[max(day-fleetHistory+1, 0)] = append(days[max(day-fleetHistory+1, 0)], line)
	}
	return days
}

func midnight(day []string) time.Time {
	var v session
	json.Unmarshal([]byte(day[0]), &v)
	return v.time().Truncate(24 * time.Hour)
}

// share is an agent's share of sessions: those of its servers.
func share(all []string, agent int) (some []string) {
	for _, line := range all {
		var v session
		json.Unmarshal([]byte(line), &v)
		h := fnv.New32a()
		h.Write([]byte(v.Dest))
		if int(h.Sum32()%fleetAgents) == agent {
			some = append(some, line)
		}
	}
	return some
}

func parse(t *testing.T, line string) (v session) {
	t.Helper()
	if err := json.Unmarshal([]byte(line), &v); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	v.NoScore = !strings.Contains(line, `"score":`) || strings.Contains(line, `"score":null`)
	return v
}

func decode(t *testing.T, path string) (all []session) {
	t.Helper()
	for line := range strings.Lines(read(t, path)) {
		all = append(all, parse(t, line))
	}
	return all
}

// missing tells which records that agents wrote to their files the server does not have, and what the agents said.
func missing(found map[string]bool, agents []*fleetAgent) string {
	var b strings.Builder
	for i, a := range agents {
		var lacks []int // places in the file
		all := a.sessions()
		for n, v := range all {
			if !found[v.UID] {
				lacks = append(lacks, n)
			}
		}
		fmt.Fprintf(&b, "agent %d: the server has not %d of %d records that came out, by their order: %v\n%s\n", i, len(lacks), len(all), lacks, a.said())
	}
	return b.String()
}

// flip returns a copy with one bit changed.
func flip(content string, at int) string {
	b := []byte(content)
	b[at] ^= 1
	return string(b)
}

// replace puts other contents in the place of a file in one move.
func replace(t *testing.T, path, content string) {
	t.Helper()
	write(t, path+".new", content)
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// killAt kills a run of the tool when it has said something.
func killAt(t *testing.T, rgcn string, args []string, said string) {
	t.Helper()
	cmd := exec.Command(rgcn, args...)
	log, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for b := make([]byte, 4096); !strings.Contains(string(out), said); {
		n, err := log.Read(b)
		out = append(out, b[:n]...)
		if err != nil {
			t.Fatalf("the trainer ended: %v\n%s", err, out)
		}
	}
	cmd.Process.Kill()
	io.Copy(io.Discard, log)
	cmd.Wait()
}

// uids are those of the sessions of a day that the server has.
func (s *server) uids(index string, day []string) map[string]bool {
	from := midnight(day)
	query := fmt.Sprintf(`{"size":10000,"_source":["uid"],"query":{"range":{"@timestamp":{"gte":%q,"lt":%q}}}}`, from.Format(time.RFC3339), from.AddDate(0, 0, 1).Format(time.RFC3339))
	s.try("POST", index+"/_refresh", "")
	a, err := s.try("GET", index+"/_search", query)
	found := map[string]bool{}
	if err != nil {
		return found
	}
	hits, _ := at(a, "hits", "hits").([]any)
	for _, h := range hits {
		found[fmt.Sprint(at(h, "_source", "uid"))] = true
	}
	return found
}
