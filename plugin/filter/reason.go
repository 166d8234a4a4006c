package filter

import (
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/allow"
)

// The reasons of sessions that the list of judged ones decided on.
const (
	reasonAllowed = "allowed"
	ReasonDenied  = "denied"
)

// rareCount is the number of earlier sessions up to which a triplet is called rare.
const rareCount = 2

// newFor is for how long what a source does for the first time is put down to its being new, and how long a triplet is.
const newFor = 24 * time.Hour

// isNew tells a session of a source that is known for less than newFor.
func isNew(r *graphbuf.Ref) bool { return r.Counts.S == 0 || r.Time-r.SourceSince < int64(newFor) }

// isNewHost tells a session of a host that is known for less than newFor in either role. A server that others have used
// for weeks is none when it first connects to another.
func isNewHost(r *graphbuf.Ref) bool { return r.Time-r.HostSince < int64(newFor) }

// isNewDestination is isNewHost of the destination.
func isNewDestination(r *graphbuf.Ref) bool { return r.Time-r.DestinationSince < int64(newFor) }

// reason tells the most telling thing about a session: the line of the list that decided on it, if one did, or what of
// it was never seen before.
func reason(r *graphbuf.Ref, low bool, by *allow.Line) string {
	c := &r.Counts
	switch {
	case by != nil && by.Verdict == allow.Bad:
		return ReasonDenied
	case by != nil:
		return reasonAllowed
	case c.SRD == 0 && isNew(r):
		return "new_source"
	case c.D == 0:
		return "new_destination"
	case c.SD == 0:
		return "new_pair"
	case c.SRD == 0:
		return "new_relation"
	case r.Time-r.TripletSince < int64(newFor): // three repeats within a minute make nothing usual
		return "new_today"
	case c.SRD <= rareCount:
		return "rare"
	case low:
		return "unexpected"
	}
	return "usual"
}
