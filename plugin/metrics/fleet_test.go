package metrics

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/fleet"
)

// What a trainer publishes and an agent takes is in the metrics and in the health of both.
func TestPublishedStates(t *testing.T) {
	dir := t.TempDir()
	key, place := filepath.Join(dir, "key"), filepath.Join(dir, "state")
	if _, err := fleet.NewKeys(key); err != nil {
		t.Fatal(err)
	}
	trainer, err := filter.NewOffline(&host{properties: map[string]string{"publish": place, "publish_key": key, "model_dim": "16", "train_steps": "20"}})
	if err != nil {
		t.Fatal(err)
	}
	defer trainer.Close()
	for i := range 3000 {
		h := (i * 7919) % 30
		trainer.Process(nil, session(i, fmt.Sprint("host-", h), fmt.Sprintf("server-%d-%d", h%3, i%4)))
	}
	if err := trainer.Train(context.Background(), time.Now(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := trainer.Publish(context.Background()); err != nil {
		t.Fatal(err)
	}
	agent, err := filter.New(&host{properties: map[string]string{"state_from": place, "state_key": key + ".pub", "state_poll": "0"}})
	if err != nil {
		t.Fatal(err)
	}
	defer agent.Close()
	has := func(f *filter.Instance, path string, wants ...string) {
		t.Helper()
		text := body(t, get(t, handler(f, false, quiet), http.MethodGet, path, "127.0.0.1"))
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s has no %q:\n%s", path, want, text)
			}
		}
	}
	has(trainer, "/metrics", `rgcn_publications_total{result="published"} 1`, `rgcn_publications_total{result="failed"} 0`, "\nrgcn_publication_bytes ", "\nrgcn_publication_timestamp_seconds 1.")
	has(trainer, "/healthz", `"publish":{"to":"`+place+`","sequence":1`)
	has(agent, "/metrics", `rgcn_published_state_polls_total{result="taken"} 1`, `rgcn_published_state_polls_total{result="refused"} 0`, "\nrgcn_published_state_age_seconds ",
		"\nrgcn_published_state_timestamp_seconds 1.", "\nrgcn_published_state_last_poll_timestamp_seconds 1.", "\nrgcn_published_state_carried_edges 0")
	has(agent, "/healthz", `"published_state":{"from":"`+place+`","sequence":1`, `"carried_edges":0`)
}
