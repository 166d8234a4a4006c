package filter

import (
	"context"
	"encoding/json"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/fleet"
	"flb-filter-rgcn/plugin/state"
)

// LookAtPublished reads what lies in state.from, and checks it as a filter with these settings and this state directory
// would. It takes nothing.
func LookAtPublished(ctx context.Context, cfg config.Config) (*fleet.Header, error) {
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
	_, _, err = h.ReadPayload(body)
	return h, err
}

// followedBy is the published state that the filter of a state directory has taken, as far as that can be read.
func followedBy(cfg config.Config) *FollowStatus {
	var m fleetMemory
	if dir, err := state.OpenReadOnly(cfg.State.Dir); err == nil {
		defer dir.Close()
		dir.Load(fleetFile, fleetVersion, func(b []byte) error { return json.Unmarshal(b, &m) })
	}
	if m.Followed == nil || m.Followed.From != fleet.PlaceName(cfg.State.From) {
		return &FollowStatus{}
	}
	return m.Followed
}
