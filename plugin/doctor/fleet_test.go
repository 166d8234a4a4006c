package doctor

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/plugin/fleet"
)

func TestFleet(t *testing.T) {
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
		b, err := fleet.Append(nil, h, []byte("graph"), []byte("model"), k)
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
	look("State_From "+place).has(t, Problem, TopicSettings, "want state.key")
	look("State_From "+place, "State_Key "+key).has(t, Problem, TopicSettings, "holds a PRIVATE KEY")

	look("Publish "+dir, "Publish_Key "+key).has(t, OK, TopicFleet, "publishes to "+dir)
	look("Publish "+dir+"/none/", "Publish_Key "+key).has(t, Problem, TopicFleet, "there is no directory "+dir+"/none/", "install -d")
	look("Publish https://host.invalid/", "Publish_Key "+key).has(t, OK, TopicFleet, "which was not tried")
}
