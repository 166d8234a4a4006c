package report

import "math"

// Timeline counts sessions by time.
type Timeline struct {
	Start int64    `json:"start"` // unix milliseconds
	Step  int64    `json:"step"`  // milliseconds
	Low   []uint64 `json:"low"`
	All   []uint64 `json:"all"`
}

const (
	maxBars  = 120
	maxTimes = 110_000 // that a Builder keeps: more than the days of all times that fit into nanoseconds

	timeStep    = 10 * 60 * 1e9 // nanoseconds; the finest step of a timeline
	stepsPerDay = 24 * 3600 * 1e9 / timeStep
)

// addTime counts a session, with a low score or none, at a time in unix nanoseconds.
func (b *Builder) addTime(time int64, low int) {
	if !b.byDay && len(b.times) >= maxTimes {
		b.joinDays()
	}
	t := b.at(time / timeStep)
	t[0]++
	t[1] += uint64(low)
}

// at returns the counts of a time in units of timeStep.
func (b *Builder) at(time int64) *[2]uint64 {
	if b.byDay {
		time -= time % stepsPerDay
	}
	t := b.times[time]
	if t == nil {
		t = new([2]uint64)
		b.times[time] = t
	}
	return t
}

// joinDays counts by day from now on. The timeline of so many steps has bars of several days.
func (b *Builder) joinDays() {
	fine := b.times
	b.times, b.byDay = map[int64]*[2]uint64{}, true
	for time, n := range fine {
		t := b.at(time)
		t[0] += n[0]
		t[1] += n[1]
	}
}

// steps of a timeline that people read easily, in units of timeStep.
var steps = []int64{1, 3, 6, 18, 36, 72, stepsPerDay, 7 * stepsPerDay, 30 * stepsPerDay, 365 * stepsPerDay}

func (b *Builder) timeline() Timeline {
	t := Timeline{Step: timeStep / 1e6, Low: []uint64{}, All: []uint64{}}
	if len(b.times) == 0 {
		return t
	}
	first, last := int64(math.MaxInt64), int64(0)
	for at := range b.times {
		first, last = min(first, at), max(last, at)
	}
	step := steps[len(steps)-1]
	for _, s := range steps {
		if last/s-first/s < maxBars {
			step = s
			break
		}
	}
	first, last = first/step, last/step
	// One very old time must not squeeze the rest, or make the page long.
	first = max(first, last-maxBars+1)
	t.Start, t.Step = first*step*timeStep/1e6, step*timeStep/1e6
	t.Low, t.All = make([]uint64, last-first+1), make([]uint64, last-first+1)
	for at, n := range b.times {
		if i := at/step - first; i >= 0 {
			t.All[i] += n[0]
			t.Low[i] += n[1]
		}
	}
	return t
}
