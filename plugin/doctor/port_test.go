package doctor

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPort(t *testing.T) {
	look := func(o Options) *examination {
		return examine(t, o, func(e *examination) { e.ports(context.Background()) })
	}
	with := func(address string, more ...string) Options {
		return Options{Conf: conf(t, "", append(more, "Metrics_Listen "+address)...)}
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	o := with(address)
	free.Close()
	look(o).has(t, OK, TopicMetrics, "fluent-bit.conf:8", address+" is free")

	serve := func(body string) Options {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/healthz" {
				t.Errorf("asked for %s", r.URL)
			}
			fmt.Fprint(w, body)
		}))
		t.Cleanup(s.Close)
		return with(strings.TrimPrefix(s.URL, "http://"))
	}
	look(serve(`{"state":"scoring","records":{"total":12}}`)).has(t, OK, TopicMetrics, "a filter rgcn runs at", "is scoring: 12 records")
	look(serve(`{"state":"waiting","problem":"no model yet: 12 of 50"}`)).has(t, OK, TopicMetrics, "is waiting", "12 of 50")
	look(serve(`{"state":"degraded","problem":"Preset ecs\u001b[2J"}`)).has(t, Problem, TopicMetrics, "is degraded", "Preset ecs?[2J")
	look(serve(`<html>`)).has(t, Warning, TopicMetrics, "is in use by something that is not this filter", "name another address")
	silent := serve(`{"state":"scoring"}`)
	silent.Offline = true
	look(silent).has(t, OK, TopicMetrics, "was not asked")
	look(with("192.0.2.1:2023", "Metrics_Allow_Remote On")).has(t, Warning, TopicMetrics, " cannot listen on 192.0.2.1:2023: ")
}

// The host's own parts listen too, and the host ends where one of them finds its port taken.
func TestPortOfTheSameConfiguration(t *testing.T) {
	for _, c := range []struct{ section, address, by string }{
		{"[SERVICE]\n    HTTP_Server On\n", "127.0.0.1:2020", "the HTTP server of Fluent Bit ("},
		{"[SERVICE]\n    HTTP_Server On\n    HTTP_Listen 127.0.0.1\n    HTTP_Port 29990\n", "localhost:29990", "the HTTP server of Fluent Bit ("},
		{"[SERVICE]\n    HTTP_Server Off\n", "127.0.0.1:2020", ""},
		{"[OUTPUT]\n    Name prometheus_exporter\n    Match x\n", "127.0.0.1:2021", "the output prometheus_exporter ("},
		{"[OUTPUT]\n    Name prometheus_exporter\n    Match x\n    Host 192.0.2.1\n", "127.0.0.1:2021", ""},
		{"[OUTPUT]\n    Name prometheus_exporter\n    Match x\n    Port 2024\n", "127.0.0.1:2021", ""},
		{"[INPUT]\n    Name HTTP\n    Listen 127.0.0.1\n", "127.0.0.1:9880", "the input http ("},
		{"[INPUT]\n    Name syslog\n", "127.0.0.1:5140", ""},
		{"[INPUT]\n    Name syslog\n    Mode tcp\n", "127.0.0.1:5140", "the input syslog ("},
		{"[INPUT]\n    Name forward\n    Unix_Path /run/x\n", "127.0.0.1:24224", ""},
		{"[OUTPUT]\n    Name forward\n    Match x\n    Port 2023\n", "127.0.0.1:2023", ""}, // it calls another machine
	} {
		e := examine(t, Options{Conf: conf(t, c.section, "Metrics_Listen "+c.address), Offline: true}, func(e *examination) { e.ports(context.Background()) })
		if c.by == "" {
			e.hasNone(t, TopicMetrics)
			continue
		}
		e.has(t, Problem, TopicMetrics, c.by, "of this configuration listens there too", "name another port, such as 2023")
	}
}
