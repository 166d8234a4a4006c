package main

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"flb-filter-rgcn/plugin/regularfile"
)

// origin is a search server in the place of files.
type origin struct{ from, index, ca, credentials, query string }

func (o *origin) declare(fs *flag.FlagSet) {
	fs.StringVar(&o.from, "from", "", "`URL` of an index of Elasticsearch or OpenSearch to learn from, in the place of files: https://127.0.0.1:9200/logs-ssh.rgcn-default, as graph_source")
	fs.StringVar(&o.index, "index", "", "`NAME` of the index, data stream or pattern, where -from names the server alone")
	fs.StringVar(&o.ca, "ca", "", "`FILE` of certificates, PEM, that vouch for the server of -from, as graph_source_ca")
	fs.StringVar(&o.credentials, "credentials", "", "`FILE` with one line, user:password or ApiKey and a key, for the server of -from, as graph_source_credentials")
	fs.StringVar(&o.query, "query", "", "`JSON` of a query, or @FILE, that documents of -from have to fulfil, as graph_source_query")
}

// settle turns the flags into settings. given tells that the records come from a server.
func (o *origin) settle(s settings, files []string) (given bool, err error) {
	if o.from == "" {
		for flag, value := range map[string]string{"-index": o.index, "-ca": o.ca, "-credentials": o.credentials, "-query": o.query} {
			if value != "" {
				return false, usagef("%s goes with -from URL", flag)
			}
		}
		return false, nil
	}
	if len(files) > 0 {
		return true, usagef("unexpected %q: want no FILE with -from", files[0])
	}
	from := o.from
	if o.index != "" {
		if from, err = url.JoinPath(from, o.index); err != nil {
			return true, usagef("-from: is no address, want http://HOST:PORT or https://HOST:PORT")
		}
	}
	query := o.query
	if path, ok := strings.CutPrefix(query, "@"); ok {
		if query, err = readQuery(path); err != nil {
			return true, fmt.Errorf("-query: %w", err)
		}
	}
	for key, value := range map[string]string{"graph_source": from, "graph_source_ca": o.ca, "graph_source_credentials": o.credentials, "graph_source_query": query} {
		if value != "" {
			s[key] = value
		}
	}
	return true, nil
}

// maxQuery bounds the file of a query, in bytes: somebody may name another by mistake.
const maxQuery = 1 << 20

// readQuery reads a query, from a pipe too: whoever names one in a shell means it.
func readQuery(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := regularfile.ReadFrom(f, maxQuery)
	return string(b), err
}

// pull fills the graph from a search server. Afterwards records are the documents that the graph has of it, those of
// former runs too.
func (r *run) pull(ctx context.Context) error {
	r.progress = newProgress(r.env.console, "documents")
	defer r.progress.done()
	report, err := r.filter.Pull(ctx, func(documents, of uint64) { r.progress.update(int(documents), float64(documents)/float64(max(of, 1))) })
	r.records = int(report.Documents)
	if r.newest = time.Unix(0, report.Now).UTC(); report.Now == 0 {
		r.newest = time.Now().UTC()
	}
	if err == nil && r.records == 0 {
		r.records = r.filter.Status().Graph.Edges // nothing is new
	}
	return err
}
