package elastic

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"strings"
	"time"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/printable"
	"flb-filter-rgcn/plugin/record"
	"flb-filter-rgcn/plugin/triplet"
)

// Config says what to read.
type Config struct {
	URL         string        // https://HOST:PORT/INDEX; the index may be a data stream, an alias or a pattern
	Index       string        // instead of the one in URL, "": that
	Credentials string        // path of a file, "": the environment
	Authorities string        // path of a file with certificates that vouch for the server, "": the system's
	Query       string        // JSON of a query that documents have to fulfil beside the settings' conditions, "": all
	Fields      config.Fields // where source, relation, destination and time are
	Window      time.Duration // how far back, of event time; 0: no limit
	LowScore    string        // the field that is true where an agent gave a low score; "": none is asked for
	PageSize    int           // buckets of an answer, 0: 10,000; smaller ones where the server allows fewer
	Stretch     uint64        // documents that a chain of pages goes over, 0: 50,000
	Pause       time.Duration // before a request is made again, doubled each time; 0: a second
	Live        bool          // now is a filter's; else it is the time of the newest document
}

// Source is an index to read. It is for one goroutine at a time.
type Source struct {
	cfg    Config
	server Server
	index  string
	query  map[string]any // of the user, nil: none
	finder *triplet.Finder
	fields fields

	pageSize int           // buckets of an answer
	stretch  uint64        // documents that are aggregated by one chain of pages
	pause    time.Duration // before the first retry

	failed bool   // the last pull did
	report Report // of the pull under way
	page   page
}

const (
	// pageSize is the number of buckets asked for at a time: the servers' own limit for an answer is 65,535.
	pageSize      = 10_000
	leastPageSize = 100
	// stretchDocuments bounds what one page makes the cluster visit: it aggregates all documents of a stretch for each
	// page, to return the next buckets. An interval of the histogram is a stretch at least.
	stretchDocuments = 50_000
	patience         = 60 * time.Second
	firstPause       = time.Second
	// A bucket takes some 170 bytes of an answer, and more where names are long. What no page needs is not read from a
	// server that sends without end.
	bucketBytes, slackBytes, mostBytes = 1 << 10, 1 << 20, 16 << 20
)

// New checks what is to be read. It asks nobody.
func New(cfg Config) (*Source, error) {
	u, inURL, err := ParseURL(cfg.URL)
	if err == nil && inURL != (Credentials{}) {
		err = errors.New("holds a user or a password, which belong into a file")
	}
	if err != nil {
		return nil, err
	}
	index := cfg.Index
	if index == "" { // the last part of the path; what stands before it stays as it is written
		dir, last := path.Split(strings.TrimRight(u.EscapedPath(), "/"))
		index, _ = url.PathUnescape(last) // it was parsed before
		u.Path, _ = url.PathUnescape(dir)
		u.RawPath = dir
	}
	if index == "" {
		return nil, errors.New("names no index: want http://HOST:PORT/INDEX, such as https://127.0.0.1:9200/logs-ssh.rgcn-default")
	}
	if strings.HasPrefix(index, "_") || strings.ContainsAny(index, " /?#\"\\|") {
		return nil, fmt.Errorf("names %q, which is no index", printable.Name(index, 80))
	}
	s := &Source{cfg: cfg, index: index, pageSize: cmp.Or(cfg.PageSize, pageSize), stretch: cmp.Or(cfg.Stretch, stretchDocuments), pause: cmp.Or(cfg.Pause, firstPause)}
	s.server = Server{URL: strings.TrimRight(u.String(), "/"), Authorities: cfg.Authorities, Patience: patience, MostBytes: answerBytes(s.pageSize)}
	if err := s.open(); err != nil {
		return nil, err
	}
	if cfg.Query != "" {
		if s.query, err = parseQuery(cfg.Query); err != nil {
			return nil, fmt.Errorf("the query is no JSON object: %w", err)
		}
		if inner, ok := s.query["query"].(map[string]any); ok && len(s.query) == 1 { // as a search has it
			s.query = inner
		}
	}
	return s, s.prepare(cfg.Fields)
}

// parseQuery reads a JSON object. Its numbers stay as they are written: an identifier may have more digits than a float.
func parseQuery(text string) (query map[string]any, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&query); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more follows it")
	}
	return query, nil
}

// open reads the credentials and the certificates of authorities.
func (s *Source) open() (err error) {
	if s.server.Credentials, err = LoadCredentials(s.cfg.Credentials); err != nil {
		return err
	}
	s.server.Close()
	return s.server.connect()
}

// InClear tells whether the credentials cross a network for all to read.
func (s *Source) InClear() bool { return s.server.inClear() }

// answerBytes bounds an answer with so many buckets.
func answerBytes(buckets int) int64 {
	return int64(min(buckets, (mostBytes-slackBytes)/bucketBytes)*bucketBytes + slackBytes)
}

// prepare finds out which fields are wanted.
func (s *Source) prepare(f config.Fields) error {
	if f.SSHD {
		return errors.New("the preset openssh takes sessions from sshd's messages, which a search server cannot aggregate: " +
			"name fields that the index has, with the preset custom or ecs")
	}
	dotted := func(paths []string) (out []string, err error) {
		for _, p := range paths {
			name, err := record.Dotted(f.Under, p)
			if err != nil {
				return nil, err
			}
			out = append(out, name)
		}
		return out, nil
	}
	for _, field := range []struct {
		parts [][]string
		to    *[]part
	}{{f.Source, &s.fields.source}, {f.Destination, &s.fields.destination}, {f.Relation, &s.fields.relation}} {
		for _, alternatives := range field.parts {
			names, err := dotted(alternatives)
			if err != nil {
				return err
			}
			*field.to = append(*field.to, part{names: names})
		}
	}
	var err error
	if s.fields.times, err = dotted(f.Time); err != nil {
		return err
	}
	for _, c := range f.Only {
		names, err := dotted([]string{c.Path})
		if err != nil {
			return err
		}
		s.fields.conditions = append(s.fields.conditions, condition{name: names[0], not: c.Not, values: c.Spellings()})
	}
	// The server sees to the conditions, and rows of a log are no documents.
	f.Only, f.Line = nil, nil
	s.finder, err = triplet.New(f, new(record.Spec))
	return err
}

// String is the index and where it is, for people.
func (s *Source) String() string { return s.server.URL + "/" + printable.Name(s.index, 80) }

// Identity tells what is read apart from anything else: the index, the fields, the query. It does not depend on the
// server's address or on credentials.
func (s *Source) Identity() string {
	f := s.cfg.Fields
	b, _ := json.Marshal([]any{s.index, s.query, f.Source, f.Destination, f.Relation, f.Time, f.Under, f.Only, f.CutPorts, f.Preset == "custom"})
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// Close lets connections go.
func (s *Source) Close() { s.server.Close() }

// Redact is an address as it may be shown, without user and password.
func Redact(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		scheme, rest = "", address
	}
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		rest = "..." + rest[at:]
	}
	if !ok {
		return rest
	}
	return scheme + "://" + rest
}
