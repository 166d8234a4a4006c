package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"flb-filter-rgcn/plugin/elastic"
)

// sourcePatience is how long the server of graph.source may take to tell what it has, all requests together.
const sourcePatience = 20 * time.Second

// sources looks at the index that each filter reads other agents' records from.
func (e *examination) sources(ctx context.Context) {
	for _, p := range e.targets {
		if p.valid && p.config.Graph.Source != "" {
			e.source(ctx, p)
		}
	}
}

func (e *examination) source(ctx context.Context, p *target) {
	add := func(level Level, text, fix string) {
		e.findings.add(level, TopicElasticsearch, p.where("graph_source"), text, fix)
	}
	g := p.config.Graph
	s, err := elastic.New(elastic.Config{URL: g.Source, Credentials: g.SourceCredentials, Authorities: g.SourceCA, Query: g.SourceQuery,
		Fields: p.config.Fields, Window: g.Window, Live: true})
	if err != nil {
		add(Problem, fmt.Sprintf("graph.source: %v", err), "mend it: Fluent Bit does not start with it") // the files may have changed just now
		return
	}
	defer s.Close()
	if s.InClear() {
		add(Warning, fmt.Sprintf("user and password, or the key, cross the network in the clear to %s", s), "write https:// in Graph_Source, and see that the server speaks TLS")
	}
	if e.Offline {
		add(OK, s.String()+" was not asked (-offline)", "")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, sourcePatience)
	defer cancel()
	found, err := s.Look(ctx)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		add(Warning, fmt.Sprintf("%s does not tell within %v what it has: the graph of this agent's own records serves until it does", s, sourcePatience), "see whether the server is there, and its log")
	case err != nil:
		add(Warning, err.Error()+": the graph of this agent's own records serves until that is mended", remedies[elastic.KindOf(err)])
	case found.Documents == 0:
		add(Warning, s.String()+" has no documents that the settings speak of", "see that the records of all agents go there, and what Only and Graph_Source_Query ask for")
	case found.Sessions == 0:
		add(Warning, fmt.Sprintf("none of the %d documents of %s has a source and a destination", found.Documents, s), "set Preset, or Source and Destination, to the fields that they have")
	default:
		add(OK, fmt.Sprintf("%s has %d documents from %s to %s UTC; %d have a source and a destination", s, found.Documents,
			found.First.Format(time.DateTime), found.Last.Format(time.DateTime), found.Sessions), "")
	}
}

// remedies are by what is wrong.
var remedies = map[elastic.Kind]string{
	elastic.Unreachable: "start the server, or mend Graph_Source and Graph_Source_CA",
	elastic.Slow:        "see what keeps the server busy",
	elastic.Busy:        "see what keeps the server busy",
	elastic.Partial:     "see why shards of the index fail or are missing: _cat/shards of the server lists them",
	elastic.Refused:     "name the file of a user's credentials in Graph_Source_Credentials, and give the user the privilege read on the index",
	elastic.NoIndex:     "mend the index in Graph_Source",
	elastic.Mapping:     "set Preset, Source, Destination, Relation and Time to fields that the index has",
	elastic.Other:       "see the server's log",
}
