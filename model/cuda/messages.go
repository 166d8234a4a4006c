//go:build gpu

package cuda

import "gorgonia.org/cu"

// messages are a set of edges on the device.
type messages struct {
	bySource, byDestination, byRelation order
	memory                              []cu.DevicePtr
}

type order struct {
	a, b cu.DevicePtr
	norm [norms]cu.DevicePtr
	plan devicePlan
}

// devicePlan is a plan of which the arrays lie behind base.
type devicePlan struct {
	base   cu.DevicePtr
	levels []placed
}

// mostKept is how many sets of messages stay on the device for the next pass over them.
const mostKept = 16

// messages returns the set of the key, from the device if it is still there.
func (n *Network) messages(key int64, build func() *Messages) (*messages, error) {
	if m := n.kept[key]; m != nil {
		return m, nil
	}
	host := build()
	// Half of what is free stays free: the device is shared.
	need := messagesBytes(int64(n.cfg.Sources+n.cfg.Destinations+n.cfg.Relations), int64(len(host.BySource.A)))
	for len(n.order) > 0 {
		free, err := n.d.Free()
		if err != nil {
			return nil, err
		}
		if len(n.order) < mostKept && free/2 > need {
			break
		}
		n.drop(n.order[0])
	}
	m := new(messages)
	slots := 0
	for _, o := range []struct {
		to   *order
		from *Order
	}{{&m.bySource, &host.BySource}, {&m.byDestination, &host.ByDestination}, {&m.byRelation, &host.ByRelation}} {
		if err := n.place(m, o.to, o.from, &slots); err != nil {
			return nil, err
		}
	}
	if err := n.needSlots(slots); err != nil {
		return nil, err
	}
	n.kept[key] = m
	n.order = append(n.order, key)
	return m, nil
}

func (n *Network) drop(key int64) {
	for _, p := range n.kept[key].memory {
		n.d.release(p)
	}
	delete(n.kept, key)
	n.order = n.order[1:]
}

// place copies an order with its plan to the device.
func (n *Network) place(m *messages, to *order, from *Order, slots *int) error {
	p := newPlan(from.Start, nil, piece)
	*slots = max(*slots, p.slots)
	var plan []int32
	for _, l := range p.levels {
		at := placed{start: len(plan), pieces: len(l.dest)}
		plan = append(plan, l.start...)
		at.dest = len(plan)
		plan = append(plan, l.dest...)
		to.plan.levels = append(to.plan.levels, at)
	}
	take := taker{d: n.d}
	edges := len(from.A)
	to.a, to.b, to.plan.base = take.words(edges), take.words(edges), take.words(len(plan))
	for i := range to.norm {
		to.norm[i] = take.words(edges)
	}
	m.memory = append(m.memory, to.a, to.b, to.plan.base)
	m.memory = append(m.memory, to.norm[:]...)
	if take.err != nil {
		return take.err
	}
	for _, c := range []struct {
		to   cu.DevicePtr
		from []int32
	}{{to.a, from.A}, {to.b, from.B}, {to.plan.base, plan}} {
		if err := upload(n.d, c.to, c.from); err != nil {
			return err
		}
	}
	for i, x := range from.Norm {
		if err := upload(n.d, to.norm[i], x); err != nil {
			return err
		}
	}
	return nil
}

// needSlots makes room for so many rows of slots.
func (n *Network) needSlots(rows int) error {
	if rows <= n.slotRows {
		return nil
	}
	n.d.release(n.slots)
	n.slots, n.slotRows = 0, 0
	p, err := n.d.alloc(rows * n.cfg.Dim)
	if err != nil {
		return err
	}
	n.slots, n.slotRows = p, rows
	return nil
}
