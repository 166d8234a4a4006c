package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"flb-filter-rgcn/plugin/doctor/hostconf"
	"flb-filter-rgcn/plugin/elastic"
	"flb-filter-rgcn/plugin/printable"
)

// templateName is what conf/elasticsearch/setup.sh calls the index template and the ingest pipeline, and ownIndices
// what they are for.
const (
	templateName = "logs-ssh.rgcn"
	ownIndices   = "logs-ssh.rgcn-"
)

// elasticPlugins are the outputs that write to a search server.
var elasticPlugins = []string{"es", "opensearch"}

// server is a search server, with what it takes to ask it. User and password are never part of a finding.
type server struct {
	url            string // without user and password
	user, password string
	unverified     bool   // its certificate is not verified
	authorities    string // path of a file with certificates of those who may vouch for it; "": the system's
	index          string // that records go to
	at             string
}

// elastic checks that the servers of the configuration and the options answer and know the index.
func (e *examination) elastic(ctx context.Context) {
	var servers []server
	if e.conf != nil {
		for _, s := range e.conf.Of(hostconf.Output) {
			if !slices.Contains(elasticPlugins, strings.ToLower(s.Value("name"))) || !s.Active() {
				continue
			}
			e.output(s)
			if server, why := serverOf(s); why != "" {
				e.findings.add(OK, TopicElasticsearch, s.At.String(), why, "")
			} else {
				servers = append(servers, server)
			}
		}
	}
	if e.Elastic != "" {
		u, err := url.Parse(e.Elastic)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			e.findings.add(Problem, TopicElasticsearch, "", "-elasticsearch: is no URL", "want http://HOST:PORT or https://HOST:PORT")
		} else {
			s := server{user: u.User.Username(), index: ownIndices + "default"}
			s.password, _ = u.User.Password()
			if user, password, ok := strings.Cut(e.ElasticKey, ":"); ok && s.user == "" {
				s.user, s.password = user, password
			}
			u.User = nil
			s.url = strings.TrimRight(u.String(), "/")
			servers = append(servers, s)
		}
	}
	for _, s := range servers {
		if e.Offline {
			e.findings.add(OK, TopicElasticsearch, s.at, s.url+" was not asked (-offline)", "")
			continue
		}
		e.ask(ctx, s)
	}
}

// serverOf is the server of an output, or why it is not asked.
func serverOf(s *hostconf.Section) (out server, why string) {
	switch {
	case s.Value("cloud_id") != "":
		return out, "an output with Cloud_ID is not asked: name its address with -elasticsearch"
	case on(s.Value("aws_auth")):
		return out, "an output with AWS_Auth is not asked: it takes requests that AWS signs"
	case s.Value("http_api_key") != "":
		return out, "an output with HTTP_API_Key is not asked: name its address with -elasticsearch, and a user and password in ES_AUTH"
	case s.Value("tls.crt_file") != "":
		return out, "an output with a certificate of its own (tls.crt_file) is not asked"
	case s.Value("upstream") != "":
		return out, "an output with Upstream is not asked: name one of its servers with -elasticsearch"
	}
	host, port, scheme := s.Value("host"), s.Value("port"), "http"
	if host == "" {
		host = "127.0.0.1"
	}
	if port == "" {
		port = "9200"
	}
	if on(s.Value("tls")) {
		scheme = "https"
	}
	index := s.Value("index")
	if index == "" {
		index = "fluent-bit"
	}
	if on(s.Value("logstash_format")) {
		if index = s.Value("logstash_prefix"); index == "" {
			index = "logstash"
		}
		index += "-DATE"
	}
	out = server{
		url:  scheme + "://" + net.JoinHostPort(host, port) + strings.TrimRight(s.Value("path"), "/"),
		user: s.Value("http_user"), password: s.Value("http_passwd"), index: index, at: s.At.String(), authorities: s.Value("tls.ca_file"),
	}
	verify := s.Value("tls.verify")
	out.unverified = verify != "" && !on(verify)
	return out, ""
}

// output warns of an output that loses records, and of what a data stream does not take.
func (e *examination) output(s *hostconf.Section) {
	if strings.EqualFold(s.Value("name"), "es") { // whatever the index
		e.findings.add(Warning, TopicElasticsearch, s.At.String(), "the output es loses records that the server refuses beside others, and sends for ever what is there already (Fluent Bit 5.1.1)", "write Name opensearch, which serves Elasticsearch as well; conf/README.md tells more")
	}
	if !strings.HasPrefix(s.Value("index"), ownIndices) {
		return
	}
	if !strings.EqualFold(s.Value("write_operation"), "create") {
		e.findings.add(Warning, TopicElasticsearch, s.At.String(), "the data stream "+s.Value("index")+" takes new documents alone, and this output sends others", "add Write_Operation create")
	}
	if !on(s.Value("suppress_type_name")) {
		e.findings.add(Warning, TopicElasticsearch, s.At.String(), "this output names a type, which Elasticsearch 8 and OpenSearch refuse", "add Suppress_Type_Name On")
	}
}

// ask asks a server what it is and whether it has the template.
func (e *examination) ask(ctx context.Context, s server) {
	add := func(level Level, text, fix string) { e.findings.add(level, TopicElasticsearch, s.at, text, fix) }
	code, body, err := s.get(ctx, "/")
	switch {
	case err != nil:
		add(Problem, fmt.Sprintf("%s does not answer: %v; records wait in Fluent Bit, and are lost when its buffers are full", s.url, err), "start the server, or correct Host, Port and tls; -offline leaves this out")
		return
	case code == http.StatusForbidden:
		add(Warning, fmt.Sprintf("%s answers, but its user may not ask what it is (403): its version and its index template were not looked at", s.url),
			"nothing, if records arrive: an output needs no such right; to have this looked at, give the user the privileges monitor and manage_index_templates")
		return
	case code == http.StatusUnauthorized:
		fix := "correct HTTP_User and HTTP_Passwd"
		if s.user == "" {
			fix = "add HTTP_User and HTTP_Passwd (with -elasticsearch: ES_AUTH=user:password in the environment)"
		}
		add(Problem, fmt.Sprintf("%s refuses the user (%d)", s.url, code), fix)
		return
	case code != http.StatusOK:
		add(Problem, fmt.Sprintf("%s answers with %d to a plain request", s.url, code), "see whether it is a search server, and its log")
		return
	}
	var about struct {
		Version struct {
			Number       string `json:"number"`
			Distribution string `json:"distribution"`
		} `json:"version"`
	}
	if json.Unmarshal(body, &about) != nil || about.Version.Number == "" {
		add(Problem, s.url+" answers, but is neither Elasticsearch nor OpenSearch", "correct Host and Port")
		return
	}
	kind := "Elasticsearch"
	if about.Version.Distribution != "" {
		kind = printable.Name(about.Version.Distribution, longestName)
	}
	add(OK, fmt.Sprintf("%s answers: %s %s", s.url, kind, printable.Name(about.Version.Number, longestName)), "")
	e.template(ctx, s)
}

// template checks the index template and the ingest pipeline.
func (e *examination) template(ctx context.Context, s server) {
	add := func(level Level, text, fix string) { e.findings.add(level, TopicElasticsearch, s.at, text, fix) }
	setUp := "run conf/elasticsearch/setup.sh " + s.url + " (ES_AUTH=user:password where it needs them)"
	code, body, err := s.get(ctx, "/_index_template/"+templateName)
	var found struct {
		Templates []struct {
			Template struct {
				Patterns []string `json:"index_patterns"`
			} `json:"index_template"`
		} `json:"index_templates"`
	}
	switch {
	case err != nil:
		add(Warning, fmt.Sprintf("%s does not tell its index templates: %v", s.url, err), "run rgcn doctor again")
		return
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		add(Warning, s.url+" does not let this user see its index templates", "ask with a user that may: -elasticsearch URL and ES_AUTH=user:password")
		return
	case code == http.StatusNotFound && !strings.HasPrefix(s.index, ownIndices):
		add(Warning, fmt.Sprintf("records go to the index %q, and there is no template %s: fields get the types that their first values suggest", s.index, templateName),
			setUp+", and set Index "+ownIndices+"default; or see that score is a float and the times are dates in a template of your own")
		return
	case code == http.StatusNotFound:
		add(Problem, s.url+" has no index template "+templateName+": scores and times get the types that their first values suggest, and nothing deletes old indices", setUp)
		return
	case code != http.StatusOK || json.Unmarshal(body, &found) != nil || len(found.Templates) == 0:
		add(Warning, fmt.Sprintf("%s answers with %d when asked for its index templates", s.url, code), "see whether it is 7.9 or newer")
		return
	}
	patterns := found.Templates[0].Template.Patterns
	if !slices.ContainsFunc(patterns, func(pattern string) bool { return hostconf.Match(pattern, s.index) }) {
		add(Warning, fmt.Sprintf("records go to the index %q, which the template %s is not for (%s)", s.index, templateName, printable.Name(strings.Join(patterns, ", "), 2*longestName)),
			"set Index "+ownIndices+"default, or add the index to the template's patterns")
		return
	}
	switch code, _, err := s.get(ctx, "/_ingest/pipeline/"+templateName); {
	case err == nil && code == http.StatusNotFound:
		add(Problem, "the index template is there, the ingest pipeline "+templateName+" that it names is not: the server refuses every record", setUp)
	case err == nil && code == http.StatusOK:
		add(OK, "index template and ingest pipeline "+templateName+" are installed", "")
	default:
		add(OK, "index template "+templateName+" is installed; the pipeline could not be asked for", "")
	}
}

// get requests a path. The error leaves out the address, which may hold a password.
func (s server) get(ctx context.Context, path string) (code int, body []byte, err error) {
	// The configuration may turn the verification off, as for Fluent Bit itself.
	at := elastic.Server{URL: s.url, Credentials: elastic.Credentials{User: s.user, Password: s.password}, Unverified: s.unverified,
		Authorities: s.authorities, Setting: "tls.ca_file", Patience: answerTimeout, MostBytes: mostAnswer}
	defer at.Close()
	answer, body, err := at.Ask(ctx, http.MethodGet, path, nil)
	if err != nil {
		return 0, nil, err
	}
	return answer.StatusCode, body, nil
}
