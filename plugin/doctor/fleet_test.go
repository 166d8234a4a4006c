package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/fleet"
)

// trained are a graph and a model as a trainer publishes them.
func trained(t testing.TB) (graph, model []byte) {
	t.Helper()
	f, err := filter.NewOffline(newProperties(nil, map[string]string{"model_dim": "8", "train_steps": "5"}, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	begin := time.Now().Add(-48 * time.Hour)
	for i := range 600 {
		at := begin.Add(time.Duration(i) * time.Minute).UnixNano()
		f.Process(nil, eventOf(map[string]any{"id.orig_h": fmt.Sprint("host-", i%30), "client": "c", "id.resp_h": fmt.Sprint("server-", i%7)}, at))
	}
	if err := f.Train(t.Context(), time.Now(), nil); err != nil {
		t.Fatal(err)
	}
	if model, err = f.Scorer().Model().AppendBinary(nil); err != nil {
		t.Fatal(err)
	}
	snapshot := graphbuf.Snapshot{Nodes: []graphbuf.Name{{Name: "a"}}, Relations: []graphbuf.Name{{Name: "r"}}, Edges: []graphbuf.Edge{{Count: 1}}}
	if graph, err = snapshot.AppendBinary(nil); err != nil {
		t.Fatal(err)
	}
	return graph, model
}

func TestFleet(t *testing.T) {
	graph, model := trained(t)
	dir := t.TempDir()
	key, place := filepath.Join(dir, "key"), filepath.Join(dir, "state")
	if _, err := fleet.NewKeys(key); err != nil {
		t.Fatal(err)
	}
	private, err := fleet.ReadSigningKey(key)
	if err != nil {
		t.Fatal(err)
	}
	// As the settings of these tests name hosts.
	const names = "source = id.orig_h else id_orig_h\ndestination = id.resp_h else id_resp_h\nrelation = client\nports = cut\ncase = folded\n" +
		"prefixes = used\nfeatures = not used\n"
	publish := func(h fleet.Header, signed bool) {
		t.Helper()
		if h.Naming == "" {
			h.Naming = names
		}
		h.GraphVersion, h.ModelVersion, h.Sequence = 2, 2, 7
		k := private
		if !signed {
			k = nil
		}
		b, err := fleet.Append(nil, h, graph, model, k)
		if err == nil {
			err = os.WriteFile(place, b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	look := func(properties ...string) *examination {
		return examine(t, Options{Conf: conf(t, "", properties...)}, func(e *examination) { e.fleet(context.Background()) }, (*examination).devices)
	}
	agent := []string{"State_From " + place, "State_Key " + key + ".pub"}
	look(agent...).has(t, Problem, TopicFleet, "fluent-bit.conf:8", "takes no state from "+place, "no such file", "have the trainer publish there")
	now := time.Now()
	publish(fleet.Header{Published: now.UnixNano(), Nodes: 3, Edges: 5}, true)
	e := look(agent...)
	e.has(t, OK, TopicFleet, "takes the state 7 from "+place, "5 triplets between 3 hosts")
	e.hasNone(t, TopicFleet)
	e.hasNone(t, TopicDevice)
	publish(fleet.Header{Published: now.UnixNano(), Naming: strings.Replace(names, "client", "user", 1)}, true)
	look(agent...).has(t, Warning, TopicFleet, "the trainer takes the relation from user, this filter from client: ", "give both the same Preset")
	publish(fleet.Header{Published: now.UnixNano(), Nodes: 3, Edges: 600_000}, true)
	look(agent...).has(t, Warning, TopicFleet, "does not fit into Graph_Max_Edges 500000")
	publish(fleet.Header{Published: now.UnixNano(), Nodes: 3, Edges: 5, Relations: 1001}, true)
	look(agent...).has(t, Warning, TopicFleet, "1001 relations; it does not fit into", "and Graph_Max_Relations 1000")
	publish(fleet.Header{Published: now.Add(-48 * time.Hour).UnixNano()}, true)
	look(agent...).has(t, Warning, TopicFleet, "published 48h0m", "why the trainer publishes no newer one")
	publish(fleet.Header{Published: now.UnixNano()}, false)
	look(agent...).has(t, Problem, TopicFleet, "it is not signed", "see to that; until then")
	look("State_From "+place, "State_Unsigned On").has(t, Warning, TopicFleet, "it is not signed", "Publish_Key at the trainer")
	b, err := fleet.Append(nil, fleet.Header{Published: now.UnixNano(), GraphVersion: 2, ModelVersion: 2, Sequence: 7}, []byte("graph"), []byte("model"), private)
	if err == nil {
		err = os.WriteFile(place, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	look(agent...).has(t, Problem, TopicFleet, "takes no state from "+place, "graphbuf: snapshot")
	look("State_From "+place).has(t, Problem, TopicSettings, "want state.key")
	look("State_From "+place, "State_Key "+key).has(t, Problem, TopicSettings, "holds a PRIVATE KEY")

	look("Publish "+dir, "Publish_Key "+key).has(t, OK, TopicFleet, "publishes to "+dir)
	look("Publish "+dir+"/none/", "Publish_Key "+key).has(t, Problem, TopicFleet, "there is no directory "+dir+"/none/", "install -d")
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "none", "state"), link); err != nil {
		t.Fatal(err)
	}
	look("Publish "+link, "Publish_Key "+key).has(t, Problem, TopicFleet, "cannot publish: "+link+": a link to a file that is not there", "name a file")
	look("Publish https://host.invalid/", "Publish_Key "+key).has(t, OK, TopicFleet, "which was not tried")
}

// What an agent needs to take up the trainer's state is compared with what its own limits leave.
func TestMemoryOfAnAgent(t *testing.T) {
	graph, model := trained(t)
	place := filepath.Join(t.TempDir(), "state")
	now := time.Now().UnixNano()
	b, err := fleet.Append(nil, fleet.Header{Published: now, Nodes: 20_000, Edges: 200_000, GraphVersion: 2, ModelVersion: 2, Sequence: 7}, graph, model, nil)
	if err == nil {
		err = os.WriteFile(place, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	saved := &filter.Saved{Status: &filter.Status{Graph: filter.GraphStatus{Nodes: 20_000, Relations: 20, Edges: 200_000}}}
	with := func(allows, taken int, before *filter.Saved, running bool) *examination {
		return examine(t, Options{Conf: conf(t, "", "State_From "+place, "State_Unsigned On")}, func(e *examination) {
			e.machine = machineWith(allows, taken, "self")
			e.targets[0].saved, e.targets[0].running = before, running
			e.fleet(context.Background())
		}, (*examination).memory)
	}
	with(100, 80, nil, false).has(t, Problem, TopicMemory, "to take up the published state (200000 triplets, 20000 hosts): ", "leaves 20 MiB now", "the state is refused",
		"lower graph.max_edges of the trainer")
	e := with(10_000, 80, nil, false)
	e.has(t, OK, TopicMemory, "to take up the published state (200000 triplets, 20000 hosts): ")
	// The graph of before goes on meanwhile: where the filter runs it is among what is taken.
	before := filter.GraphBytes(e.targets[0].config, graphbuf.Sizes{Nodes: 20_000, Edges: 200_000})
	enough := 80 + int((e.targets[0].published.Needs(before)*5/4+before/2)>>20) // a fifth of what is left stays for others
	with(enough, 80, saved, true).has(t, OK, TopicMemory, "to take up the published state")
	with(enough, 80, saved, false).has(t, Problem, TopicMemory, "the state is refused")
}
