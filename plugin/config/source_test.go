package config

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestGraphSource(t *testing.T) {
	c, err := load(t, "[graph]\nsource = \"https://search.example:9200/logs-*\"\nsource_ca = \"ca.pem\"\n",
		map[string]string{"graph_source_query": `{"term":{"low_score":false}}`})
	if err != nil {
		t.Fatal(err)
	}
	if c.Graph.Source != "https://search.example:9200/logs-*" || !filepath.IsAbs(c.Graph.SourceCA) || c.Graph.SourceQuery == "" {
		t.Errorf("%+v", c.Graph)
	}
	if s := c.Summary(); !strings.Contains(s, "graph_source=https://search.example:9200/logs-*") {
		t.Error(s)
	}
	_, err = load(t, "", map[string]string{"graph_source": "https://elastic:geheim@search.example:9200/logs"})
	if err == nil || err.Error() != "property graph_source: it holds a user or a password, which would be logged: put them into the file that graph.source_credentials names" {
		t.Error(err)
	}
	for _, value := range []string{"elastic:geheim@search.example/logs", "ftp://elastic:geheim@search.example/logs", "https://elastic:geheim@search.example",
		"https://elastic:geheim@search.example/logs?a=b", "https:///logs"} {
		for text, properties := range map[string]map[string]string{"": {"graph_source": value}, "[graph]\nsource = \"" + value + "\"\n": nil} {
			_, err := load(t, text, properties)
			if err == nil || !strings.Contains(err.Error(), "want the address of an index, such as") {
				t.Errorf("%s: %v", value, err)
			}
			if err != nil && strings.Contains(err.Error(), "geheim") {
				t.Errorf("the password is in %v", err)
			}
		}
	}
	_, err = load(t, "", map[string]string{"graph_source": "http://h:9200/logs", "state_from": "/states/", "state_unsigned": "on"})
	if err == nil || !strings.Contains(err.Error(), "a filter with state.from has the graph of its trainer") {
		t.Error(err)
	}
	for _, query := range []string{"{", "[]", "1", "null"} {
		if _, err := load(t, "", map[string]string{"graph_source_query": query}); err == nil || !strings.Contains(err.Error(), "as a JSON object") {
			t.Errorf("%s: %v", query, err)
		}
	}
}
