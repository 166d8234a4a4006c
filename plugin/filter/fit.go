package filter

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"flb-filter-rgcn/plugin/record"
	"flb-filter-rgcn/plugin/triplet"
)

const (
	// fitPeriod is how many records are judged together, and fitShare the share of them that has to be understood.
	fitPeriod = 100
	fitShare  = 0.05
	// fitGrowth is by how much the number of records grows from one warning of a misfit to the next, and fitPause the
	// least time. A misfit that begins anew is logged after fitShortPause, and twice as long each time, up to fitPause.
	fitGrowth     = 10
	fitPause      = time.Hour
	fitShortPause = time.Minute
	// fitLook is the least time between two looks at what is wrong.
	fitLook = time.Second
	// fitPatience is how long a few records that are not understood wait for a period to be full. Of a tag of which some
	// record was understood, fitFew are needed all the same: one among them is no misfit.
	fitPatience = time.Minute
	fitFew      = 10
	// maxSample is the size of the largest record that is looked at, in bytes, and keptSample of the room that is kept
	// for the next.
	maxSample  = 64 << 10
	keptSample = 4 << 10
	// mostTags are judged each by itself, and the records of further ones together: the tag that has not come for longest
	// gives its place to a new one. Of tags longer than maxTag bytes, which their senders made, that is so too.
	mostTags = 250
	maxTag   = 256
	shownTag = 64 // bytes of one in texts
	// fitForget is the time after which a tag that does not come any more is no problem.
	fitForget = 24 * time.Hour
	// mostWarned bounds the warnings of misfits within fitPause, whatever the number of tags; mostMisfits those in a
	// status, and mostNamed the tags that its problem names.
	mostWarned  = 20
	mostMisfits = 20
	mostNamed   = 5
)

// fit tells whether the records are those that the settings speak of. Records are judged in periods, those of each tag
// by themselves; what it logs, it logs once, or again after ten times as many records of the tag and at least an hour,
// or when it begins anew.
type fit struct {
	*common
	counters *counters

	added             []string      // names of fields that the filter writes; of the record path
	overwrittenLogged atomic.Bool   // that fields of records are replaced
	columnsLogged     atomic.Bool   // that the columns of rows have changed
	leftOutLogged     atomic.Bool   // that no record fulfils the conditions
	untimed           atomic.Uint64 // counted records while none had a time of its own
	timesSeen         atomic.Int32  // what is known of times
	unreadable        unreadableTimes
	parts             atomic.Uint64 // of sessions, that some session had
	partless          atomic.Uint64 // sessions while some part was lacking
	partsChecked      atomic.Bool   // none is, or it was logged which

	mu     sync.Mutex // guards all below; held for moments, once a chunk
	tags   map[string]*tagFit
	others tagFit    // of tags that are not, or no more, in tags
	looked time.Time // when it was last found out why records are not understood
	warns  int       // warnings since the first of them, which was at warnOf
	warnOf time.Time
}

// tagFit is how the records of one tag fit. The fit's mutex guards it.
type tagFit struct {
	name             string    // in texts; "" where it has none
	last             time.Time // when the last record came
	records, counted uint64    // of the period
	total            uint64
	fitted           bool          // some record was understood
	sample           []byte        // a record of the period that was not understood; empty: none small enough came
	since            time.Time     // when the first that was not understood came, zero while there was none
	logged           bool          // the log's last word is that of a misfit
	warnAt           uint64        // total at which it is logged again
	warned           time.Time     // when it was last logged
	pause            time.Duration // before one that begins anew is logged
	why              string        // of a misfit; "" while most records are understood
	lastWhy          string        // of the last one that was looked into
}

func (f *fit) init(c *common, counters *counters) {
	f.common, f.counters, f.tags = c, counters, map[string]*tagFit{}
	f.others.name = "further tags"
}

// leftOut is the problem that no record so far fulfils the conditions; ok is false if one does or too few records came to
// tell.
func (f *fit) leftOut() (w Warning, ok bool) {
	skipped, c := f.counters.skipped.Load(), &f.cfg.Fields
	if len(c.Only) == 0 || skipped < fitPeriod || f.counters.counted.Load() > 0 {
		return w, false
	}
	return Warning{About: AboutOnly, What: fmt.Sprintf("none of %d records fulfils the conditions of Only (%s), so none gets a score", skipped, c.Conditions()),
		Remedy: "set Only to what these records have, or Preset to another"}, true
}

// logLeftOut logs that once.
func (f *fit) logLeftOut() {
	if f.leftOutLogged.Load() {
		return
	}
	if why, ok := f.leftOut(); ok && !f.leftOutLogged.Swap(true) {
		f.statusChanged.Store(true)
		f.warn(why)
	}
}

// add counts a chunk's records, of which event, unless nil, is one that was not understood, and reports whether the
// period of its tag is full.
func (f *fit) add(tag []byte, records, counted uint64, event []byte) bool {
	if records == 0 {
		return false
	}
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.enter(tag)
	t.last = now
	t.records += records
	t.counted += counted
	t.total += records
	t.fitted = t.fitted || counted > 0
	t.keep(event, now)
	return t.records >= fitPeriod
}

// keep keeps an event, unless it is empty, as one that was not understood.
func (t *tagFit) keep(event []byte, since time.Time) {
	if len(event) > 0 && t.since.IsZero() {
		t.since = since
	}
	if len(t.sample) == 0 && len(event) <= maxSample {
		t.sample = append(t.sample, event...)
	}
}

// begin is what texts about the tag begin with.
func (t *tagFit) begin() string {
	if t.name == "" {
		return ""
	}
	return t.name + ": "
}

// of is what there is of a tag. f.mu is held.
func (f *fit) of(tag []byte) *tagFit {
	if t := f.tags[string(tag)]; t != nil {
		return t
	}
	return &f.others
}

// enter is what there is of a tag, from now on if it is new. f.mu is held.
func (f *fit) enter(tag []byte) *tagFit {
	if t := f.tags[string(tag)]; t != nil {
		return t
	}
	if len(tag) > maxTag {
		return &f.others
	}
	if len(f.tags) >= mostTags {
		f.leave()
	}
	t := &tagFit{}
	if len(tag) > 0 {
		t.name = "tag " + shown(tag)
	}
	f.tags[string(tag)] = t
	return t
}

// shown is a tag in texts.
func shown(tag []byte) string { return strconv.Quote(string(tag[:min(len(tag), shownTag)])) }

// leave takes the tag that has not come for longest out of the tags. Its period goes on with the others'.
func (f *fit) leave() {
	oldest, t := "", (*tagFit)(nil)
	for tag, x := range f.tags {
		if t == nil || x.last.Before(t.last) {
			oldest, t = tag, x
		}
	}
	delete(f.tags, oldest)
	o := &f.others
	o.last = t.last
	o.records += t.records
	o.counted += t.counted
	o.total += t.records
	o.fitted = o.fitted || t.fitted
	if !t.since.IsZero() {
		o.keep(t.sample, t.since)
	}
}

// waiting are the tags of which records that were not understood have waited since a time or longer.
func (f *fit) waiting(since time.Time) (out []*tagFit) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for t := range f.each {
		if !t.since.IsZero() && !t.since.After(since) && (!t.fitted || t.records >= fitFew) {
			out = append(out, t)
		}
	}
	return out
}

// each goes through all tags, in the order of their names. f.mu is held.
func (f *fit) each(yield func(*tagFit) bool) {
	for _, tag := range slices.Sorted(maps.Keys(f.tags)) {
		if !yield(f.tags[tag]) {
			return
		}
	}
	yield(&f.others)
}

// misfits are the tags whose records are not understood, and why, of up to mostMisfits of them, and how many there are.
func (f *fit) misfits(now time.Time) (tags, why []string, all int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for t := range f.each {
		if t.why == "" || now.Sub(t.last) > fitForget {
			continue
		}
		if all++; all <= mostMisfits {
			tags, why = append(tags, t.name), append(why, t.why)
		}
	}
	return tags, why, all
}

// problem is why records are not understood, "" while those of each tag are.
func (f *fit) problem() string {
	tags, why, all := f.misfits(time.Now())
	switch all {
	case 0:
		return ""
	case 1:
		return why[0]
	}
	named := tags[1:min(len(tags), 1+mostNamed)]
	more := ""
	if left := all - 1 - len(named); left > 0 {
		more = fmt.Sprintf(" and of %d more", left)
	}
	return fmt.Sprintf("%s Nor are the records understood of %s%s.", why[0], strings.Join(named, ", "), more)
}

// endPeriod judges the records of a tag's period and begins another, if there are at least so many. Two calls may have
// seen the same full period: the second of them finds a new one and leaves it alone.
func (f *fit) endPeriod(tag []byte, least uint64) {
	f.mu.Lock()
	t := f.of(tag)
	f.mu.Unlock()
	f.judge(t, least)
}

// endWaiting judges the records of the tags of which some have waited for long enough.
func (f *fit) endWaiting(now time.Time) {
	for _, t := range f.waiting(now.Add(-fitPatience)) {
		f.judge(t, 1)
	}
	f.logUnreadableAfter(fitPatience, now)
}

// end judges all records that were not judged yet.
func (f *fit) end() {
	f.logUnreadableAfter(0, time.Now())
	f.mu.Lock()
	var all []*tagFit
	for t := range f.each {
		all = append(all, t)
	}
	f.mu.Unlock()
	for _, t := range all {
		f.judge(t, 1)
	}
}

// judge is endPeriod; there is at least one record.
func (f *fit) judge(t *tagFit, least uint64) {
	f.mu.Lock()
	if t.records < least {
		f.mu.Unlock()
		return
	}
	v := f.closePeriod(t, time.Now())
	f.mu.Unlock()
	why := Warning{About: AboutMisfit, What: v.text}
	if v.look {
		why.Remedy, why.More = f.explain(v.sample)
		line := why.Line()
		f.mu.Lock()
		t.why, t.lastWhy = line, line
		f.mu.Unlock()
	}
	if v.look || v.changed {
		f.statusChanged.Store(true)
	}
	if v.warn {
		f.warn(why)
	}
	if v.more {
		f.logf(LevelWarn, "the records of more tags are not understood; within an hour the log tells of %d, and /healthz and rgcn status tell of the rest", mostWarned)
	}
	if v.recovered {
		f.logf(LevelInfo, "%srecords are understood again: %d of the last %d have a source and a destination", t.begin(), v.counted, v.records)
	}
}

// verdict is what is to be said of a tag's records of one period.
type verdict struct {
	records, counted uint64
	text             string // what is wrong with them, "" if nothing is
	warn, recovered  bool   // the log tells of it
	more             bool   // the log tells that more tags are not understood than it told of
	look             bool   // a record is looked at, to tell why
	sample           []byte // that record
	changed          bool   // whether they are understood
}

// closePeriod ends a period of a tag and begins the next. The lock is held.
func (f *fit) closePeriod(t *tagFit, now time.Time) verdict {
	misfit, was := float64(t.counted) < fitShare*float64(t.records), t.why != ""
	v := verdict{records: t.records, counted: t.counted, recovered: t.logged && !misfit, changed: misfit != was}
	if misfit {
		v.text = fmt.Sprintf("%s%d of the last %d records have a source and a destination, so hardly any gets a score.", t.begin(), t.counted, t.records)
		v.warn, v.more = f.mayWarn(t, now)
	}
	if v.recovered {
		t.logged = false
	}
	if v.look = v.warn || misfit && (!was || t.lastWhy == "") && now.Sub(f.looked) >= fitLook; v.look {
		f.looked, v.sample = now, bytes.Clone(t.sample)
	}
	if t.why = ""; misfit {
		t.why = cmp.Or(t.lastWhy, v.text)
	}
	t.records, t.counted, t.sample, t.since = 0, 0, t.sample[:0], time.Time{}
	if cap(t.sample) > keptSample {
		t.sample = nil
	}
	return v
}

// mayWarn tells whether the log is to tell now of a tag whose records are not understood, and counts that as done. more
// tells that this one is the first of the hour for which only a general line is left. The lock is held.
func (f *fit) mayWarn(t *tagFit, now time.Time) (warn, more bool) {
	ago := now.Sub(t.warned)
	if t.logged {
		warn = t.total >= t.warnAt && ago >= fitPause
	} else {
		warn = ago >= t.pause
	}
	if !warn {
		return false, false
	}
	if now.Sub(f.warnOf) >= fitPause {
		f.warns, f.warnOf = 0, now
	}
	f.warns++
	t.logged, t.warnAt, t.warned = true, t.total*fitGrowth, now
	t.pause = min(max(2*t.pause, fitShortPause), fitPause)
	return f.warns <= mostWarned, f.warns == mostWarned+1
}

// checkParts warns once if none of the first sessions has a value in some field of source, destination or relation. Such a
// session has a name all the same, where the value is missing, so that a misspelt field would not be noticed.
func (f *fit) checkParts(finder *triplet.Finder, parts triplet.Parts, counted uint64) {
	if f.partsChecked.Load() || counted == 0 {
		return
	}
	lacking := finder.Lacking(triplet.Parts(f.parts.Or(uint64(parts))) | parts)
	if lacking == "" {
		f.partsChecked.Store(true)
		return
	}
	if n := f.partless.Add(counted); n >= fitPeriod && !f.partsChecked.Swap(true) {
		f.warn(Warning{About: AboutParts, What: fmt.Sprintf("none of the first %d sessions has a value in %s, so it tells none from another", n, lacking),
			Remedy: "see whether the field has that name in the records"})
	}
}

// logOverwritten warns once that records come with fields that the filter writes, as one of them does.
func (f *fit) logOverwritten(tag, event []byte) {
	if f.overwrittenLogged.Swap(true) {
		return
	}
	c := &f.cfg.Fields
	body, err := record.Body(event)
	var hit, remedies []string
	named, explained := false, false
	for _, name := range f.added {
		if _, is := body[name]; is && err == nil {
			hit = append(hit, strconv.Quote(name))
			is = name == c.Score || name == c.LowScore || name == c.SourceAlert
			named, explained = named || is, explained || !is
		}
	}
	if named || len(hit) == 0 {
		remedies = append(remedies, "set Score, Low_Score and Source_Alert to other names to keep theirs")
	}
	if explained {
		remedy := "set Field_Style ecs, with which those of Explain are rgcn.reason and so on, or Explain Off"
		if f.cfg.FieldStyle == "ecs" {
			remedy = "set Explain Off"
		}
		remedies = append(remedies, remedy)
	}
	// Both explanations are told. Where the fields are such as this filter adds, the records are more likely its own.
	const twice = "pass this filter, or another rgcn, twice, and count twice: a rewrite_tag behind it gives them a tag that Match takes too, or whoever sends them " +
		"scores them"
	const once = "set Match to tags that come from inputs alone, and let one filter score"
	if _, scored := body[c.Score]; scored && isBool(body[c.LowScore]) {
		f.warn(Warning{What: fmt.Sprintf("records under the tag %s come with fields that this filter adds (%s). Most likely they %s", shown(tag), strings.Join(hit, ", "), twice),
			Remedy: fmt.Sprintf("%s. If the fields are their own, which this filter replaces, or takes out where it has none: %s", once, strings.Join(remedies, "; "))})
		return
	}
	f.warn(Warning{What: fmt.Sprintf("records come with fields of their own (%s), which this filter replaces by its own, or takes out where it has none", strings.Join(hit, ", ")),
		Remedy: fmt.Sprintf("%s. If the fields are this filter's, the records %s; %s", strings.Join(remedies, "; "), twice, once)})
}

func isBool(v any) bool { _, is := v.(bool); return is }

// logColumns warns once that the columns of rows under a tag are others than before.
func (f *fit) logColumns(tag []byte) {
	if f.columnsLogged.Swap(true) {
		return
	}
	f.warn(Warning{What: fmt.Sprintf("a header (#fields) under the tag %q has other columns than the one before", tag),
		Remedy: "rows are read by the last header under their tag, so give each log that is read at the same time a tag of its own (Tag ssh.* and Path of tail); " +
			"if there is one log alone, its layout has changed and all is well"})
}
