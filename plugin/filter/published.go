package filter

import (
	"context"
	"encoding/json"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/fleet"
	"flb-filter-rgcn/plugin/state"
)

// Published is what lies in state.from.
type Published struct {
	*fleet.Header
	need int64 // bytes that taking it up takes for the moment
}

// Needs is what a filter takes for the moment to take the state up, while its graph of before takes so many bytes.
func (p *Published) Needs(before int64) int64 { return withGarbage(p.need, before) }

// LookAtPublished reads what lies in state.from, and checks it as a filter with these settings and this state directory
// would, in as much memory. It takes nothing up.
func LookAtPublished(ctx context.Context, cfg config.Config) (*Published, error) {
	features, err := HostFeatures(cfg)
	if err != nil {
		return nil, err
	}
	f := follower{common: &common{cfg: cfg}}
	if err := f.open(); err != nil {
		return nil, err
	}
	defer f.close()
	body, _, err := f.place.Get(ctx, "")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	h, err := fleet.ReadHeader(body, f.trust)
	if err != nil {
		return nil, err
	}
	if err := f.acceptable(h, followedBy(cfg)); err != nil {
		return nil, err
	}
	_, trained, giveBack, err := lookersMemory().unpack(cfg, h, body)
	if err != nil {
		return nil, err
	}
	giveBack()
	// What was read is let go before the scorer is made, beside the graph.
	taken := takenSizes(cfg, h)
	return &Published{h, max(takingBytes(cfg, h), GraphBytes(cfg, taken)+trained.ScorerBytes(taken, features))}, nil
}

// lookersMemory is what a process without an instance may take.
func lookersMemory() *memory { return &memory{files: machineFiles, inUse: inUseByGo} }

// followedBy is the published state that the filter of a state directory has taken, as far as that can be read.
func followedBy(cfg config.Config) *FollowStatus {
	var m fleetMemory
	if dir, err := state.OpenReadOnly(cfg.State.Dir); err == nil {
		defer dir.Close()
		dir.Load(fleetFile, fleetVersion, func(b []byte) error { return json.Unmarshal(b, &m) })
	}
	if s := m.from(fleet.PlaceName(cfg.State.From)); s != nil {
		return s
	}
	return &FollowStatus{}
}
