package doctor

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/plugin/elastic"
	"flb-filter-rgcn/plugin/elastic/elastictest"
)

func TestSource(t *testing.T) {
	server := &elastictest.Server{Index: "logs", User: "elastic", Password: "geheim"}
	address := server.Start(t)
	t.Setenv(elastic.EnvUser, "elastic:geheim")
	look := func(o Options, more ...string) *examination {
		t.Helper()
		o.Conf = conf(t, "", append([]string{"Graph_Source " + address}, more...)...)
		e := examine(t, o, func(e *examination) { e.sources(context.Background()) })
		if strings.Contains(e.text(), "geheim") {
			t.Errorf("a password is told:\n%s", e.text())
		}
		return e
	}
	look(Options{Offline: true}).has(t, OK, TopicElasticsearch, "fluent-bit.conf:8", "/logs was not asked")
	look(Options{Offline: true}).hasNone(t, TopicElasticsearch)
	local := address
	address = "http://search.example.org:9200/logs"
	look(Options{Offline: true}).has(t, Warning, TopicElasticsearch, "fluent-bit.conf:8", "cross the network in the clear to http://search.example.org:9200/logs", "https://")
	address = local
	look(Options{}).has(t, Warning, TopicElasticsearch, "has no field id.orig_h", "set Preset, Source, Destination")
	server.Types = map[string]string{"id.orig_h": "ip", "id.resp_h": "ip"}
	look(Options{}).has(t, Warning, TopicElasticsearch, "has no documents that the settings speak of")
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	server.Add(elastictest.Document{Time: at, Fields: map[string]any{"id.orig_h": "192.0.2.1"}})
	look(Options{}).has(t, Warning, TopicElasticsearch, "none of the 1 documents of", "has a source and a destination")
	server.Add(elastictest.Document{Time: at.Add(time.Hour), Fields: map[string]any{"id.orig_h": "192.0.2.1", "id.resp_h": "192.0.2.2"}})
	look(Options{}).has(t, OK, TopicElasticsearch, "has 2 documents from 2026-03-01 12:00:00 to 2026-03-01 13:00:00 UTC; 1 have a source and a destination")
	look(Options{}, "Preset openssh").has(t, Problem, TopicSettings, "the preset openssh takes sessions from sshd's messages")
	server.Before(func(w http.ResponseWriter, r *http.Request, n int) bool {
		elastictest.Fail(w, http.StatusForbidden, "security_exception", "")
		return true
	})
	look(Options{}).has(t, Warning, TopicElasticsearch, "lets the user not read logs (403)", "Graph_Source_Credentials", "the privilege read")
}
