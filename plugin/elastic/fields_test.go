package elastic

import (
	"context"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/plugin/elastic/elastictest"
)

// triplets are a graph's, in words, with their counts.
func triplets(t *testing.T, cfg Config, server *elastictest.Server) string {
	t.Helper()
	cfg.URL = server.Start(t)
	g := newGraph(t)
	pull(t, source(t, cfg), g, start.Add(time.Hour))
	var out []string
	for _, line := range described(g) {
		line, _, _ = strings.Cut(line, " events")
		out = append(out, line)
	}
	return strings.Join(out, "; ")
}

func documents(all ...map[string]any) (out []elastictest.Document) {
	for i, fields := range all {
		out = append(out, elastictest.Document{Time: start.Add(time.Duration(i) * time.Second), Fields: fields})
	}
	return out
}

func TestFieldsAreThoseOfTheSettings(t *testing.T) {
	zeek := func(source, relation, destination string) map[string]any {
		return map[string]any{"id.orig_h": source, "client": relation, "id.resp_h": destination}
	}
	for _, c := range []struct {
		name       string
		properties []string
		query      string
		types      map[string]string
		documents  []elastictest.Document
		want       string
	}{
		{"hosts have one name", nil, "", nil,
			documents(zeek("HOST-A.", "x", "192.0.2.1"), zeek("host-a", "x", "::ffff:192.0.2.1"), zeek("host-a:50000", "x", "192.0.2.1:22"), zeek("2001:DB8:0::1", "x", "b")),
			"2001:db8::1, x, b: 1; host-a, x, 192.0.2.1: 3"},
		{"custom leaves names alone", []string{"preset", "custom", "source", "a", "destination", "b", "relation", "c"}, "", nil,
			documents(map[string]any{"a": "HOST-A.", "b": "B", "c": "R"}), "HOST-A., R, B: 1"},
		{"without a relation", nil, "", nil,
			documents(map[string]any{"id.orig_h": "a", "id.resp_h": "b"}, zeek("a", "x", "b")), "a, -, b: 1; a, x, b: 1"},
		{"without source or destination", nil, "", nil,
			documents(map[string]any{"id.orig_h": "a"}, map[string]any{"id.resp_h": "b"}, zeek("-", "x", "b"), zeek("a", "x", "b")), "a, x, b: 1"},
		{"names with underscores", nil, "", nil,
			documents(map[string]any{"id_orig_h": "a", "id_resp_h": "b", "client": "x"}, zeek("a", "x", "b")), "a, x, b: 2"},
		{"joined", []string{"relation", "client|auth_success", "source", "user|id.orig_h"}, "", nil,
			documents(map[string]any{"user": "Root", "id.orig_h": "A", "id.resp_h": "b", "client": "x", "auth_success": true}, map[string]any{"id.orig_h": "a", "id.resp_h": "b", "client": "x"}),
			"-|a, x|-, b: 1; Root|A, x|true, b: 1"},
		{"a else b", []string{"destination", "id.resp_h else server"}, "", nil,
			documents(map[string]any{"id.orig_h": "a", "server": "s", "client": "x"}, map[string]any{"id.orig_h": "a", "server": "s", "id.resp_h": "b", "client": "x"},
				map[string]any{"id.orig_h": "a", "server": "s", "id.resp_h": "", "client": "x"}),
			"a, x, b: 1; a, x, s: 2"},
		{"what stands for no value, else b", []string{"destination", "id.resp_h else server", "relation", "client else user"}, "", nil,
			documents(map[string]any{"id.orig_h": "a", "server": "s", "id.resp_h": "-", "client": "(empty)", "user": "u"},
				map[string]any{"id.orig_h": "a", "server": "s", "id.resp_h": "b", "client": "-", "user": "-"}),
			"a, -, b: 1; a, u, s: 1"},
		{"under a key", []string{"under", "zeek"}, "", nil,
			documents(map[string]any{"zeek.id.orig_h": "a", "zeek.id.resp_h": "b", "zeek.client": "x"}), "a, x, b: 1"},
		{"a record accessor", []string{"source", "$src['ip']"}, "", nil,
			documents(map[string]any{"src.ip": "a", "id.resp_h": "b", "client": "x"}), "a, x, b: 1"},
		{"conditions", []string{"only", "event=start|begin,kind!=dns"}, "", nil,
			documents(map[string]any{"id.orig_h": "a", "id.resp_h": "b", "client": "x", "event": "start"},
				map[string]any{"id.orig_h": "a", "id.resp_h": "b", "client": "x", "event": "begin", "kind": "ssh"},
				map[string]any{"id.orig_h": "a", "id.resp_h": "b", "client": "x", "event": "begin", "kind": "dns"},
				map[string]any{"id.orig_h": "a", "id.resp_h": "b", "client": "x", "event": "end"}, zeek("a", "x", "b")),
			"a, x, b: 2"},
		{"a boolean of JSON and of rows", []string{"only", "auth_success=T", "relation", "client|auth_success"}, "", nil,
			documents(map[string]any{"id.orig_h": "a", "id.resp_h": "b", "client": "x", "auth_success": "T"},
				map[string]any{"id.orig_h": "a", "id.resp_h": "b", "client": "x", "auth_success": "true"},
				map[string]any{"id.orig_h": "a", "id.resp_h": "b", "client": "x", "auth_success": "F"}),
			"a, x|true, b: 2"},
		{"a boolean mapped as such", []string{"only", "auth_success!=F"}, "", map[string]string{"auth_success": "boolean"},
			documents(map[string]any{"id.orig_h": "a", "id.resp_h": "b", "client": "x", "auth_success": true},
				map[string]any{"id.orig_h": "a", "id.resp_h": "b", "client": "x", "auth_success": false}),
			"a, x, b: 1"},
		{"a query", nil, `{"bool":{"must_not":[{"term":{"low_score":true}}]}}`, nil,
			documents(map[string]any{"id.orig_h": "a", "id.resp_h": "b", "client": "x", "low_score": true}, zeek("a", "x", "b")), "a, x, b: 1"},
		{"a query as a search has it", nil, `{"query":{"term":{"client":"y"}}}`, nil,
			documents(zeek("a", "x", "b"), zeek("a", "y", "b")), "a, y, b: 1"},
		{"text with a subfield", nil, "", map[string]string{"client": "text", "client.keyword": "keyword"},
			documents(map[string]any{"id.orig_h": "a", "id.resp_h": "b", "client": "SSH 2", "client.keyword": "SSH 2"}), "a, SSH 2, b: 1"},
		{"a number", []string{"relation", "version"}, "", nil,
			documents(map[string]any{"id.orig_h": "a", "id.resp_h": "b", "version": 2.0}), "a, 2, b: 1"},
		{"ecs", []string{"preset", "ecs"}, "", nil,
			documents(map[string]any{"source.ip": "192.0.2.7", "host.hostname": "Web-1", "host.name": "collector", "event.action": "ssh_login"},
				map[string]any{"source.ip": "192.0.2.7", "destination.ip": "192.0.2.8", "host.name": "collector", "event.action": "ssh_login"}),
			"192.0.2.7, ssh_login, 192.0.2.8: 1; 192.0.2.7, ssh_login, web-1: 1"},
		{"teleport", []string{"preset", "teleport"}, "", nil,
			documents(map[string]any{"event": "session.start", "addr.remote": "192.0.2.9:4711", "login": "root", "server_hostname": "db"},
				map[string]any{"event": "session.end", "addr.remote": "192.0.2.9:4711", "login": "root", "server_hostname": "db"}),
			"192.0.2.9, root, db: 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := &elastictest.Server{Index: "logs", Types: c.types}
			server.Add(c.documents...)
			if got := triplets(t, Config{Fields: settings(t, c.properties...), Query: c.query}, server); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestMappingsThatDoNotServe(t *testing.T) {
	for _, c := range []struct {
		name       string
		properties []string
		types      map[string]string
		want       string
	}{
		{"no such field", []string{"source", "peer"}, nil, "has no field peer: set Preset, or Source and Destination"},
		{"text alone", nil, map[string]string{"client": "text"}, "client of logs is of type text and has no subfield client.keyword"},
		{"a condition", []string{"only", "kind=ssh"}, nil, "has no field kind, which Only asks for"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := &elastictest.Server{Index: "logs", Types: c.types}
			add(server, sessions(1, 10, time.Hour))
			s := source(t, Config{URL: server.Start(t), Fields: settings(t, c.properties...)})
			_, err := s.Pull(context.Background(), newGraph(t), Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) || KindOf(err) != Mapping {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{Config{URL: "127.0.0.1:9200/logs"}, "is no address of a search server, want http://HOST:PORT/INDEX"},
		{Config{URL: "ftp://127.0.0.1/logs"}, "want http://"},
		{Config{URL: "http://127.0.0.1:9200"}, "names no index"},
		{Config{URL: "http://127.0.0.1:9200/_all"}, `names "_all", which is no index`},
		{Config{URL: "http://127.0.0.1:9200/logs", Query: "[1]"}, "the query is no JSON object"},
		{Config{URL: "http://127.0.0.1:9200/logs", Query: "{} {}"}, "the query is no JSON object: more follows it"},
		{Config{URL: "http://127.0.0.1:9200/logs", Fields: settings(t, "preset", "openssh")}, "the preset openssh takes sessions from sshd's messages"},
		{Config{URL: "http://127.0.0.1:9200/logs", Authorities: "/no/such/file"}, "the file of authorities /no/such/file: no such file"},
	} {
		if c.cfg.Fields.Preset == "" {
			c.cfg.Fields = settings(t)
		}
		if _, err := New(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.cfg.URL, err, c.want)
		}
	}
	s := source(t, Config{URL: "http://127.0.0.1:9200/prefix/logs-a"})
	if s.String() != "http://127.0.0.1:9200/prefix/logs-a" || s.index != "logs-a" || s.server.URL != "http://127.0.0.1:9200/prefix" {
		t.Errorf("%s, index %s of %s", s, s.index, s.server.URL)
	}
}

// Only text is asked whether it is empty.
func TestTypesThatMayBeEmpty(t *testing.T) {
	for kind, want := range map[string]bool{
		"keyword": true, "constant_keyword": true, "wildcard": true, "flattened": true,
		"ip": false, "boolean": false, "date": false, "byte": false, "long": false, "unsigned_long": false, "double": false, "scaled_float": false,
	} {
		f, ok, err := new(Source).aggregatable(map[string]map[string]capability{"x": {kind: {Type: kind, Aggregatable: true}}}, "x")
		if err != nil || !ok || f.keyword != want {
			t.Errorf("%s: %+v, %v, %v", kind, f, ok, err)
		}
	}
}

// Numbers of a query arrive as they were written.
func TestNumbersOfAQuery(t *testing.T) {
	server := &elastictest.Server{Index: "logs"}
	add(server, sessions(3, 5, time.Minute))
	const query = `{"terms":{"account":[9007199254740993,1e3,1.50]}}`
	s := source(t, Config{URL: server.Start(t), Query: `{"query":` + query + `}`})
	s.Pull(t.Context(), newGraph(t), Options{}) // whatever the server says to such a query
	asked := server.Requests()
	if last := asked[len(asked)-1]; !strings.Contains(last, "/_search") || !strings.Contains(last, query) {
		t.Errorf("asked %s, want %s in it", last, query)
	}
}

// The address of a server behind a proxy is asked as it is written; its last part is the index.
func TestTheAddressOfAnIndex(t *testing.T) {
	for _, c := range []struct{ url, index, wantURL, wantIndex string }{
		{"http://h:9200/logs", "", "http://h:9200", "logs"},
		{"http://h:9200/a/b/logs-*/", "", "http://h:9200/a/b", "logs-*"},
		{"http://h:9200/a%2Fb/logs-%2A", "", "http://h:9200/a%2Fb", "logs-*"},
		{"http://h:9200/a%2Fb/", "logs", "http://h:9200/a%2Fb", "logs"},
		{"http://h:9200", "logs", "http://h:9200", "logs"},
	} {
		s, err := New(Config{URL: c.url, Index: c.index, Fields: settings(t)})
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
		} else if s.server.URL != c.wantURL || s.index != c.wantIndex {
			t.Errorf("%s: %s and %s, want %s and %s", c.url, s.server.URL, s.index, c.wantURL, c.wantIndex)
		}
	}
	if _, err := New(Config{URL: "http://h:9200/a%2Fb", Fields: settings(t)}); err == nil || !strings.Contains(err.Error(), `names "a/b", which is no index`) {
		t.Error(err)
	}
}
