package doctor

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// searchServer answers as Elasticsearch does what the examination asks for; nothing else may be asked for.
type searchServer struct {
	t                  *testing.T
	about              string
	user, password     string // wanted, "" for none
	template, pipeline bool
	patterns           string
}

const elasticAbout = `{"version":{"number":"8.14.3"},"tagline":"You Know, for Search"}`

func (s *searchServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if user, password, _ := r.BasicAuth(); user != s.user || password != s.password {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.Method != http.MethodGet {
		s.t.Errorf("%s %s", r.Method, r.URL)
	}
	switch r.URL.Path {
	case "/":
		fmt.Fprint(w, s.about)
	case "/_index_template/logs-ssh.rgcn":
		if !s.template {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		fmt.Fprintf(w, `{"index_templates":[{"name":"logs-ssh.rgcn","index_template":{"index_patterns":[%q]}}]}`, s.patterns)
	case "/_ingest/pipeline/logs-ssh.rgcn":
		if !s.pipeline {
			w.WriteHeader(http.StatusNotFound)
		}
		fmt.Fprint(w, `{}`)
	default:
		s.t.Errorf("asked for %s", r.URL)
	}
}

const outputRest = "    Write_Operation create\n    Suppress_Type_Name On\n"

// asked examines a configuration with an output to the server.
func asked(t *testing.T, s searchServer, more string) *examination {
	t.Helper()
	return askedBy(t, "opensearch", s, more)
}

// askedBy is asked with the name of the output's plugin.
func askedBy(t *testing.T, plugin string, s searchServer, more string) *examination {
	t.Helper()
	s.t = t
	server := httptest.NewServer(&s)
	t.Cleanup(server.Close)
	host, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	text := "[INPUT]\n    Name dummy\n[FILTER]\n    Name rgcn\n    Match *\n[OUTPUT]\n    Name " + plugin + "\n    Match *\n    Host " + host + "\n    Port " + port + "\n" + more
	return examine(t, Options{Conf: write(t, t.TempDir(), "c.conf", text)}, func(e *examination) { e.elastic(context.Background()) })
}

func TestElasticsearch(t *testing.T) {
	good := searchServer{about: elasticAbout, template: true, pipeline: true, patterns: "logs-ssh.rgcn-*"}
	own := "    Index logs-ssh.rgcn-default\n" + outputRest
	e := asked(t, good, own)
	e.has(t, OK, TopicElasticsearch, "c.conf:6", "answers: Elasticsearch 8.14.3")
	e.has(t, OK, TopicElasticsearch, "index template and ingest pipeline logs-ssh.rgcn are installed")
	e.hasNone(t, TopicElasticsearch)
	for _, index := range []string{own, "    Index mine\n" + outputRest} {
		askedBy(t, "es", good, index).has(t, Warning, TopicElasticsearch, "c.conf:6", "the output es loses records", "write Name opensearch")
	}

	s := good
	s.about = `{"version":{"number":"2.19.3","distribution":"opensearch"}}`
	asked(t, s, own).has(t, OK, TopicElasticsearch, "answers: opensearch 2.19.3")
	s.template = false
	asked(t, s, own).has(t, Problem, TopicElasticsearch, "has no index template logs-ssh.rgcn", "run conf/elasticsearch/setup.sh http://127.0.0.1:")
	s = good
	s.pipeline = false
	asked(t, s, own).has(t, Problem, TopicElasticsearch, "the ingest pipeline logs-ssh.rgcn that it names is not", "setup.sh")
	asked(t, good, "    Index mine\n"+outputRest).has(t, Warning, TopicElasticsearch, `records go to the index "mine", which the template`, "set Index logs-ssh.rgcn-default")
	asked(t, good, "").has(t, Warning, TopicElasticsearch, `records go to the index "fluent-bit"`)
	asked(t, good, "    Logstash_Format On\n").has(t, Warning, TopicElasticsearch, `records go to the index "logstash-DATE"`)
	s = good
	s.template = false
	asked(t, s, "    Index mine\n").has(t, Warning, TopicElasticsearch, `records go to the index "mine", and there is no template`)
	s = good
	s.about = "<html>"
	asked(t, s, own).has(t, Problem, TopicElasticsearch, "is neither Elasticsearch nor OpenSearch")
	asked(t, good, "    Index logs-ssh.rgcn-default\n    Suppress_Type_Name On\n").has(t, Warning, TopicElasticsearch, "add Write_Operation create")
	asked(t, good, "    Index logs-ssh.rgcn-default\n    Write_Operation create\n").has(t, Warning, TopicElasticsearch, "add Suppress_Type_Name On")
	asked(t, good, own+"    Cloud_ID x\n").has(t, OK, TopicElasticsearch, "Cloud_ID is not asked")
	asked(t, good, own+"    AWS_Auth On\n").has(t, OK, TopicElasticsearch, "AWS_Auth is not asked")
}

// Users and passwords are used and never told.
func TestElasticsearchUsers(t *testing.T) {
	own := "    Index logs-ssh.rgcn-default\n" + outputRest
	s := searchServer{about: elasticAbout, template: true, pipeline: true, patterns: "logs-ssh.rgcn-*", user: "elastic", password: "s3cret"}
	quiet := func(e *examination) *examination {
		if strings.Contains(e.text(), "s3cret") || strings.Contains(e.text(), "wr0ng") {
			t.Errorf("a password is told:\n%s", e.text())
		}
		return e
	}
	quiet(asked(t, s, own+"    HTTP_User elastic\n    HTTP_Passwd s3cret\n")).hasNone(t, TopicElasticsearch)
	quiet(asked(t, s, own+"    HTTP_User elastic\n    HTTP_Passwd wr0ng\n")).has(t, Problem, TopicElasticsearch, "refuses the user (401)", "correct HTTP_User")
	asked(t, s, own).has(t, Problem, TopicElasticsearch, "refuses the user (401)", "add HTTP_User")

	// One that may write and nothing else.
	writer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer writer.Close()
	examine(t, Options{Elastic: writer.URL, Set: map[string]string{"preset": "zeek"}}, func(e *examination) { e.elastic(context.Background()) }).
		has(t, Warning, TopicElasticsearch, "answers, but its user may not ask what it is (403)", "nothing, if records arrive")

	s.t = t
	server := httptest.NewServer(&s)
	defer server.Close()
	ask := func(o Options) *examination {
		o.Set = map[string]string{"preset": "zeek"}
		return quiet(examine(t, o, func(e *examination) { e.elastic(context.Background()) }))
	}
	ask(Options{Elastic: strings.Replace(server.URL, "//", "//elastic:s3cret@", 1)}).hasNone(t, TopicElasticsearch)
	ask(Options{Elastic: server.URL, ElasticKey: "elastic:s3cret"}).hasNone(t, TopicElasticsearch)
	ask(Options{Elastic: server.URL, ElasticKey: "elastic:s3cret", Offline: true}).has(t, OK, TopicElasticsearch, "was not asked")
	ask(Options{Elastic: "http://elastic:s3cret@127.0.0.1:1"}).has(t, Problem, TopicElasticsearch, "http://127.0.0.1:1 does not answer", "refused")
	ask(Options{Elastic: "elastic:s3cret@x y"}).has(t, Problem, TopicElasticsearch, "is no URL")
}

// A server that sends the question on does not have it asked elsewhere.
func TestElasticsearchSendsNobodyElsewhere(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("asked") }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	defer server.Close()
	e := examine(t, Options{Elastic: server.URL}, func(e *examination) { e.elastic(context.Background()) })
	e.has(t, Problem, TopicElasticsearch, "answers with 302")
}

// A certificate that nobody vouches for is refused, unless the configuration says not to look at it.
func TestElasticsearchCertificate(t *testing.T) {
	s := searchServer{t: t, about: elasticAbout, template: true, pipeline: true, patterns: "logs-ssh.rgcn-*"}
	server := httptest.NewUnstartedServer(&s)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the client that goes away
	server.StartTLS()
	defer server.Close()
	host, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "https://"), ":")
	with := func(verify string) *examination {
		text := "[INPUT]\n    Name dummy\n[FILTER]\n    Name rgcn\n    Match *\n[OUTPUT]\n    Name opensearch\n    Match *\n    Host " + host + "\n    Port " + port +
			"\n    Index logs-ssh.rgcn-default\n" + outputRest + "    tls On\n    tls.verify " + verify + "\n"
		return examine(t, Options{Conf: write(t, t.TempDir(), "c.conf", text)}, func(e *examination) { e.elastic(context.Background()) })
	}
	with("On").has(t, Problem, TopicElasticsearch, "does not answer", "certificate")
	with("Off").hasNone(t, TopicElasticsearch)
	authority := write(t, t.TempDir(), "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	with("On\n    tls.ca_file "+authority).hasNone(t, TopicElasticsearch)
	with("On\n    tls.ca_file "+write(t, t.TempDir(), "ca.pem", "text")).has(t, Problem, TopicElasticsearch, "tls.ca_file", "holds no certificate in the format PEM")
	with("On\n    tls.crt_file x").has(t, OK, TopicElasticsearch, "is not asked")
}

// TestSetUp runs the script that findings name, as it lies in conf, at addresses that people have, with servers of any
// name. A policy that is there is the user's; a server that refuses an answer is not one without index management.
func TestSetUp(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("skipped: curl is not on the PATH")
	}
	const (
		elasticsearch       = `{"cluster_name":"was-opensearch","version":{"number":"8.14.3","build_flavor":"default"}}`
		openSearch          = `{"cluster_name":"logs","version":{"distribution":"opensearch","number":"2.19.1"}}`
		ilm, ism            = "/_ilm/policy/logs-ssh.rgcn", "/_plugins/_ism/policies/logs-ssh.rgcn"
		pipeline, templates = "/_ingest/pipeline/logs-ssh.rgcn", "/_index_template/logs-ssh.rgcn"
		auth                = `elastic:a "b\\ $c`
	)
	for _, c := range []struct {
		about, has, forbidden string // paths
		want                  []string
	}{
		{elasticsearch, "", "", []string{pipeline, ilm, templates}},
		{openSearch, "", "", []string{pipeline, ism, templates}},
		{elasticsearch, ilm, "", []string{pipeline, templates}},
		{openSearch, ism, "", []string{pipeline, templates}},
		{elasticsearch, "", ilm, []string{pipeline}},
		{openSearch, "", "/_cat/plugins", []string{pipeline}},
		{openSearch, "", ism, []string{pipeline}},
	} {
		var put []string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			user, password, _ := r.BasicAuth()
			switch {
			case user+":"+password != auth:
				w.WriteHeader(http.StatusUnauthorized)
			case r.URL.Path == c.forbidden:
				w.WriteHeader(http.StatusForbidden)
			case r.URL.Path == c.has:
				fmt.Fprint(w, `{"policy":{}}`)
			case r.Method == http.MethodPut:
				put = append(put, r.URL.Path)
			case r.URL.Path == "/":
				fmt.Fprint(w, c.about)
			case r.URL.Path == "/_cat/plugins":
				fmt.Fprint(w, "node opensearch-index-management 2.19.1.0")
			default:
				http.NotFound(w, r)
			}
		}))
		script := exec.CommandContext(t.Context(), "/bin/sh", "../../conf/elasticsearch/setup.sh", server.URL+"/")
		script.Env = append(os.Environ(), "ES_AUTH="+auth)
		out, err := script.CombinedOutput()
		server.Close()
		if (err != nil) != (c.forbidden != "") || !slices.Equal(put, c.want) || c.forbidden != "" && !strings.Contains(string(out), c.forbidden) {
			t.Errorf("%s has %q, forbids %q: put %q, %v, want %q\n%s", c.about, c.has, c.forbidden, put, err, c.want, out)
		}
	}
}
