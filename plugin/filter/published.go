package filter

import (
	"context"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/fleet"
)

// LookAtPublished reads the header of what lies in state.from, and checks it as a filter with these settings would. It
// takes nothing.
func LookAtPublished(ctx context.Context, cfg config.Config) (*fleet.Header, error) {
	f := follower{common: &common{cfg: cfg}}
	if err := f.open(); err != nil {
		return nil, err
	}
	body, _, err := f.place.Get(ctx, "")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	h, err := fleet.ReadHeader(body, f.trust)
	if err != nil {
		return nil, err
	}
	return h, f.acceptable(h, &FollowStatus{})
}
