package doctor

import (
	"fmt"
	"io/fs"
	"strings"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/memlimit"
)

// memory compares what each filter takes, now and at the bounds of its graph, with what the limits leave.
func (e *examination) memory() {
	for _, p := range e.targets {
		if !p.valid || p.config.Train.Interval <= 0 && p.published == nil {
			continue
		}
		limit, limited := memlimit.Tightest(ofProcess{e.machine, p.holder})
		var now graphbuf.Sizes
		if p.saved != nil && p.saved.Status != nil {
			g := p.saved.Status.Graph
			now = graphbuf.Sizes{Nodes: g.Nodes, Relations: g.Relations, Edges: g.Edges}
		}
		if p.published != nil {
			e.takesUp(p, now, limit, limited)
		}
		if p.config.Train.Interval <= 0 {
			continue
		}
		if now.Edges > 0 {
			e.fits(p, "now", now, limit, limited, p.running)
		}
		c := p.config.Graph
		e.fits(p, "at its bounds", graphbuf.Sizes{Nodes: c.MaxNodes, Relations: c.MaxRelations, Edges: c.MaxEdges}, limit, limited, false)
	}
}

// takesUp reports whether the published state can be taken up beside the graph that the filter has now.
func (e *examination) takesUp(p *target, now graphbuf.Sizes, limit memlimit.Limit, limited bool) {
	graph := filter.GraphBytes(p.config, now)
	need := p.published.Needs(graph)
	text := fmt.Sprintf("%s, to take up the published state (%d triplets, %d hosts): %d MiB for the moment", p.name, p.published.Edges, p.published.Nodes, need>>20)
	if !limited {
		e.findings.add(OK, TopicMemory, p.at(), text+"; no limit on memory is known", "")
		return
	}
	if p.running { // its graph is among what is taken
		graph = 0
	}
	may := filter.Share(limit, graph)
	text += fmt.Sprintf("; %s has %d MiB and leaves %d MiB now, of which it may take %d", limit.By, limit.Bytes>>20, limit.Left>>20, may>>20)
	if need > may {
		e.findings.add(Problem, TopicMemory, p.at(), text+": the state is refused", "raise that limit, or lower graph.max_edges of the trainer")
		return
	}
	e.findings.add(OK, TopicMemory, p.at(), text, "")
}

// ofProcess is the file system as a running process sees it: its limits count, not this tool's. Number 0 is this process.
type ofProcess struct {
	fs.FS
	pid int
}

// Open implements fs.FS.
func (o ofProcess) Open(name string) (fs.File, error) {
	if rest, ok := strings.CutPrefix(name, "proc/self/"); ok && o.pid != 0 {
		name = fmt.Sprintf("proc/%d/%s", o.pid, rest)
	}
	return o.FS.Open(name)
}

// fits reports whether a training on a graph of the given size fits into memory. inUse means that the memory in use
// already includes the graph.
func (e *examination) fits(p *target, when string, s graphbuf.Sizes, limit memlimit.Limit, limited, inUse bool) {
	s.Sources, s.Destinations = s.Nodes, s.Nodes // at most
	graph := filter.GraphBytes(p.config, s)
	may, by := filter.Unlimited(p.config), fmt.Sprintf("Train_Max_Memory allows %d MiB", p.config.Train.MaxMemory)
	if p.config.Train.MaxMemory == 0 {
		by = "no limit on memory is known"
	}
	if limited {
		more := graph
		if inUse {
			more = 0
		}
		may = filter.Allowance(p.config, limit, more)
		if most := int64(p.config.Train.MaxMemory) << 20; most == 0 || may < most {
			by = fmt.Sprintf("%s has %d MiB and leaves %d MiB now, of which a training beside the graph may take %d", limit.By, limit.Bytes>>20, limit.Left>>20, may>>20)
		}
	}
	wanted, fitting, ok := filter.Foretell(p.config, p.features, s, may)
	text := fmt.Sprintf("%s, %s (%d triplets, %d hosts at most): graph %d MiB, training %d MiB with dimension %d", p.name, when, s.Edges, s.Nodes,
		graph>>20, wanted.Training>>20, wanted.Dim)
	cure := "raise that limit, or lower Graph_Max_Edges and Graph_Max_Nodes"
	at := p.at()
	switch {
	case ok && fitting.Training == wanted.Training:
		e.findings.add(OK, TopicMemory, at, text+"; "+by, "")
	case ok:
		e.findings.add(OK, TopicMemory, at, fmt.Sprintf("%s; %s, so it takes %d MiB with dimension %d", text, by, fitting.Training>>20, fitting.Dim), "")
	case when == "now":
		e.findings.add(Problem, TopicMemory, at, fmt.Sprintf("%s; %s, and the least that it can do with is %d MiB: trainings are put off", text, by, fitting.Training>>20), cure)
	default:
		e.findings.add(Warning, TopicMemory, at, fmt.Sprintf("%s; %s, and the least that it can do with is %d MiB: it will not train so large a graph", text, by, fitting.Training>>20), cure)
	}
}
