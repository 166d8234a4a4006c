package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/fleet"
	"flb-filter-rgcn/plugin/replacefile"
)

// fleet looks at the states that filters take from a trainer, and at where trainers publish theirs.
func (e *examination) fleet(ctx context.Context) {
	for _, p := range e.targets {
		if !p.valid {
			continue
		}
		if p.config.State.From != "" {
			e.followed(ctx, p)
		}
		if p.config.Publish.To != "" {
			e.published(p)
		}
	}
}

// publishedPatience is how long a server may take to show a state.
const publishedPatience = 20 * time.Second

// followed looks at the state that a filter would take.
func (e *examination) followed(ctx context.Context, p *target) {
	from, at := p.config.State.From, p.where("state_from")
	if e.Offline && !fleet.IsPath(from) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, publishedPatience)
	defer cancel()
	h, err := filter.LookAtPublished(ctx, p.config)
	name := fleet.PlaceName(from)
	if err != nil {
		remedy := "see to that"
		if errors.Is(err, fs.ErrNotExist) {
			remedy = "have the trainer publish there (rgcn train -publish, or Publish in its filter)"
		}
		e.findings.add(Problem, TopicFleet, at, fmt.Sprintf("%s takes no state from %s: %s", p.name, name, clean(err.Error())),
			remedy+"; until then the filter goes on by the state that it has, and without one score is null")
		return
	}
	p.published = h
	if why := filter.NamingDiffers(h.Naming, p.config); why != "" {
		e.findings.add(Warning, TopicFleet, at, fmt.Sprintf("%s and the trainer of %s differ: %s", p.name, name, why),
			"give both the same Preset, Source, Destination, Relation, Cut_Ports, Model_Prefixes and Model_Features, unless their records keep the same hosts in other fields")
	}
	age := time.Since(h.PublishedAt()).Round(time.Second)
	text := fmt.Sprintf("%s takes the state %d from %s: published %v ago, %d triplets between %d hosts", p.name, h.Sequence, name, age, h.Edges, h.Nodes)
	switch old := p.config.State.OldAfter; {
	case !h.Signed:
		e.findings.add(Warning, TopicFleet, at, text+"; it is not signed", "have it signed: Publish_Key at the trainer (rgcn keygen), State_Key here instead of State_Unsigned")
	case old > 0 && age > old:
		e.findings.add(Warning, TopicFleet, at, text, "see why the trainer publishes no newer one: its timer, its log, rgcn status")
	case int(h.Edges) > p.config.Graph.MaxEdges || int(h.Nodes) > p.config.Graph.MaxNodes || int(h.Relations) > p.config.Graph.MaxRelations:
		e.findings.add(Warning, TopicFleet, at, text+fmt.Sprintf(", %d relations; it does not fit into Graph_Max_Edges %d, Graph_Max_Nodes %d and Graph_Max_Relations %d",
			h.Relations, p.config.Graph.MaxEdges, p.config.Graph.MaxNodes, p.config.Graph.MaxRelations),
			"raise what is too small, or what was seen longest ago is left out")
	default:
		e.findings.add(OK, TopicFleet, at, text, "")
	}
}

// published looks whether a trainer may write where it publishes. A server is not asked: that would take writing to it.
func (e *examination) published(p *target) {
	to, at := p.config.Publish.To, p.where("publish")
	if !fleet.IsPath(to) {
		e.findings.add(OK, TopicFleet, at, p.name+" publishes to "+fleet.PlaceName(to)+", which was not tried", "")
		return
	}
	dir := to
	if info, err := os.Stat(to); !strings.HasSuffix(to, "/") && (err != nil || !info.IsDir()) {
		file, err := replacefile.Target(to) // as it is published
		if err != nil {
			e.findings.add(Problem, TopicFleet, at, fmt.Sprintf("%s cannot publish: %v", p.name, err), "name a file, or make the one that the link leads to")
			return
		}
		dir = filepath.Dir(file)
	}
	if err := access(dir, unix.W_OK|unix.X_OK); errors.Is(err, unix.EROFS) {
		e.findings.add(Problem, TopicFleet, at, onReadOnly(dir, fmt.Sprintf("%s cannot publish to %s", p.name, to)), writableRemedy(dir))
		return
	} else if err != nil {
		why := fmt.Sprintf("user %d may not write into the directory %s: %v", os.Geteuid(), dir, err)
		if errors.Is(err, fs.ErrNotExist) {
			why = fmt.Sprintf("there is no directory %s", dir)
		}
		e.findings.add(Problem, TopicFleet, at, fmt.Sprintf("%s cannot publish to %s: %s", p.name, to, why),
			"make the directory, and give it to the user that Fluent Bit runs as: install -d -m 0755 -o USER "+dir)
		return
	}
	e.findings.add(OK, TopicFleet, at, p.name+" publishes to "+to, "")
}
