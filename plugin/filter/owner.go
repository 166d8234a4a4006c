package filter

import (
	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/budget"
	"flb-filter-rgcn/plugin/hostname"
)

// ownerText is room for a network of IPv6 addresses as text.
type ownerText [48]byte

// ownerOf tells who spends of a budget with a session: its source, and while that is new, all new addresses of its
// IPv6 network together, since whoever has one of them has as many as he likes. Hosts that are known count each for
// itself: a site's own may all be in one such network. So do all before the budget has settled, when every host is new.
func ownerOf(e *graphbuf.Event, ref *graphbuf.Ref, b *budget.AlertBudget, text *ownerText) budget.Spender {
	s := budget.Spender{Name: e.Source, New: isNewHost(ref)}
	if s.New && b.Settled() {
		if network, ok := hostname.Network(e.Source); ok {
			s.Name = network.AppendTo(text[:0])
		}
	}
	return s
}
