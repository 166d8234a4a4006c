package doctor

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/logfile"
	"flb-filter-rgcn/plugin/printable"
	"flb-filter-rgcn/plugin/record"
	"flb-filter-rgcn/plugin/triplet"
)

const (
	// mostRecords of a sample are looked at, lines that are none among them: enough to tell, and read in a moment.
	mostRecords = 20_000
	// shown are how many records are written out.
	shown = 3
	// longestName is how many characters of a name are.
	longestName = 60
	// mostKeys of the records are named.
	mostKeys = 16
	// aChunk is how many records the filter gets at a time.
	aChunk = 1000
)

// samples passes each sample through each filter whose settings are right. What is wrong with the others was reported.
func (e *examination) samples() error {
	for _, file := range e.Samples {
		read := "" // by which filter
		for _, p := range e.targets {
			if !p.valid {
				continue
			}
			if file == "-" && read != "" {
				e.findings.add(OK, TopicSample, file, fmt.Sprintf("can be read once: %s got the records, %s did not", read, p.name), "")
				continue
			}
			read = p.name
			err := e.sample(p, file)
			if errors.Is(err, fs.ErrNotExist) {
				return err
			}
			if content := (*logfile.ContentError)(nil); errors.As(err, &content) {
				e.sayContent(p, file, content)
				break
			}
			if err != nil {
				e.findings.add(Problem, TopicSample, file, fmt.Sprintf("cannot be read: %v", err), "name a log that this user may read, and that is whole")
				break // for the others neither
			}
		}
	}
	return nil
}

// sayContent tells that a sample is no text.
func (e *examination) sayContent(p *target, file string, content *logfile.ContentError) {
	level, text, fix := Problem, "is "+content.What, content.Remedy
	if w := e.way(p, file); content.UTF16 && w.input != nil && w.input.Is("tail") {
		if w.input.Value("unicode.encoding") != "" {
			level, text, fix = Warning, text+"; Fluent Bit converts it (Unicode.Encoding), rgcn does not", "give rgcn doctor a copy in UTF-8: "+content.Remedy
		} else {
			fix = "set Unicode.Encoding auto in the input (" + w.input.At.String() + "), with a Fluent Bit that knows it, or " + fix
		}
	}
	e.findings.add(level, TopicSample, file, text, fix)
}

// seen is what was found in a sample.
type seen struct {
	records, found, skipped, timed int
	more                           bool // the file may have more records
	bad                            []string
	badLines                       int
	keys                           map[string]int
	triplets                       map[string]bool
	parts                          triplet.Parts
	lines                          []string // of the records that are written out
	lacking                        string   // the fields of source, destination and relation that no session has
	newest                         int64    // time of a record's own
	times                          []int64  // of records' own
}

func (e *examination) sample(p *target, file string) error {
	w := e.way(p, file)
	r, err := logfile.Open(file, w.options(e.Columns))
	if err != nil {
		return err
	}
	defer r.Close()
	host := p.properties.with(apart()).with(map[string]string{"allow": ""}) // checked with the settings
	f, err := filter.NewOffline(host)
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	s, err := look(r, w, p.config.Fields, func(chunk []byte) { f.ProcessTagged(nil, chunk, []byte(filepath.Base(file))) }, filepath.Base(file))
	f.Close() // which logs what it noticed
	if err != nil {
		return err
	}
	e.say(p, file, w, s, *host.warnings)
	return nil
}

// look reads the records, and passes them in chunks to pass.
func look(r *logfile.Reader, w *way, fields config.Fields, pass func(chunk []byte), tag string) (*seen, error) {
	var spec record.Spec
	finder, err := triplet.New(fields, &spec)
	if err != nil {
		return nil, err
	}
	x, err := record.Compile(spec)
	if err != nil {
		return nil, err
	}
	s := &seen{keys: map[string]int{}, triplets: map[string]bool{}}
	defer func() { s.lacking = finder.Lacking(s.parts) }()
	walker, room := x.NewWalker(), new(triplet.Buffer)
	var streams triplet.Streams
	rows := finder.Of(&streams, []byte(tag))
	var chunk []byte
	for s.records+s.badLines < mostRecords {
		event, err := r.AppendRecord(nil)
		if bad := (*logfile.LineError)(nil); errors.As(err, &bad) {
			if s.badLines++; len(s.bad) < mostLines {
				s.bad = append(s.bad, clean(bad.Error()))
			}
			continue
		}
		if err == io.EOF {
			pass(chunk)
			return s, nil
		}
		if err != nil {
			return nil, err
		}
		event = w.along(event)
		s.records++
		if body, err := record.Body(event); err == nil {
			for key := range body {
				if _, known := s.keys[key]; known || len(s.keys) < 1000 {
					s.keys[key]++
				}
			}
		}
		walker.Reset(event)
		walker.Next()
		s.take(walker.Event(), finder, room, &rows)
		if chunk = append(chunk, event...); s.records%aChunk == 0 {
			pass(chunk)
			chunk = chunk[:0]
		}
	}
	s.more = true
	pass(chunk)
	return s, nil
}

// take counts one record.
func (s *seen) take(ev *record.Event, finder *triplet.Finder, room *triplet.Buffer, rows *triplet.Rows) {
	if ev.Kind != record.Log {
		return
	}
	session, verdict := finder.Find(room, rows, ev.Values)
	switch verdict {
	case triplet.Missing:
		return
	case triplet.Skipped:
		s.skipped++
		return
	}
	s.found++
	s.parts |= session.Parts
	at, own := ev.Time, ev.Timed
	if session.Time != 0 {
		at, own = session.Time, true
	}
	if own {
		s.timed++
		s.newest = max(s.newest, at)
		s.times = append(s.times, at)
	}
	name := func(b []byte) string { return printable.Name(string(b), longestName) }
	from, by, to := name(session.Source), name(session.Relation), name(session.Destination)
	s.triplets[from+"\x00"+by+"\x00"+to] = true
	if len(s.lines) < shown {
		whose := "the record's own"
		if !own {
			whose = "not the record's own: that of the input"
		}
		s.lines = append(s.lines, fmt.Sprintf("source %s, relation %s, destination %s, time %s (%s)", from, by, to,
			time.Unix(0, at).UTC().Format(time.RFC3339), whose))
	}
}

// say turns it into findings. warnings are those of the filter itself about the records.
func (e *examination) say(p *target, file string, w *way, s *seen, warnings []filter.Warning) {
	add := func(level Level, text, fix string) { e.findings.add(level, TopicSample, file, text, fix) }
	if s.badLines > 0 {
		text := fmt.Sprintf("%d lines are no records: %s", s.badLines, strings.Join(s.bad, "; "))
		if s.more {
			text = fmt.Sprintf("of the first %d lines, behind which nothing was read, ", s.records+s.badLines) + text
		}
		add(Warning, text, "look at these lines; Fluent Bit passes them on as text, and they get no score")
	}
	if s.records == 0 {
		add(Problem, "has no record", "take a file with some hundred records in it")
		return
	}
	if w.misfits*2 > w.lines {
		add(Problem, fmt.Sprintf("%d of %d lines do not fit the parser %s, and stay as they are", w.misfits, w.lines, w.parser.name),
			"name another parser in the input (conf/parsers.conf: zeek_json, json for other JSON, syslog_sshd or syslog_sshd_iso for sshd), or none for Zeek's rows with their header")
	}
	how := fmt.Sprintf("%s, records %s", p.name, w.by)
	if len(w.ignored) > 0 {
		how += "; not followed: " + strings.Join(w.ignored, ", ")
	}
	counted := s.records - s.skipped // a header, or what Only leaves out
	share := 100.0
	if counted > 0 {
		share = 100 * float64(s.found) / float64(counted)
	}
	text := fmt.Sprintf("%d records: %d have a source and a destination (%.0f %%)", s.records, s.found, share)
	if s.records == 1 {
		text = fmt.Sprintf("one record: %d with a source and a destination", s.found)
	}
	if s.more {
		text = "the first " + text
	}
	if s.skipped > 0 {
		text += fmt.Sprintf(", %d left out (lines of a header, or by Only)", s.skipped)
	}
	keys := "keys: " + keysOf(s.keys)
	misfit, said := false, "" // what the filter says would help
	for _, warning := range warnings {
		switch {
		case warning.About == filter.AboutMisfit && !misfit:
			misfit, said = true, warning.Remedy
		case warning.About == filter.AboutOnly:
			misfit = true
		}
	}
	switch {
	case s.found == 0 && s.skipped == s.records && len(p.config.Fields.Only) > 0:
		add(Problem, text+"; Only wants "+p.config.Fields.Conditions(), e.remedy(p, file, w, said))
	case misfit || s.found == 0:
		add(Problem, text, e.remedy(p, file, w, said))
	case share < 50 && !p.config.Fields.SSHD:
		add(Warning, text, "if the others are no sessions, leave them out with Only; else see which fields they lack")
	default:
		add(OK, text, "")
	}
	e.findings.more(how, keys)
	e.findings.more(s.lines...)
	for _, warning := range warnings {
		// The others are findings above and below. That some times cannot be read is one where sayTimes says nothing.
		if warning.About == filter.AboutOther || warning.About == filter.AboutUnread && (s.timed > 0 || p.config.Fields.SSHD) {
			add(Warning, warning.What, cmp.Or(warning.Remedy, "see conf/README.md"))
		}
	}
	if s.found > 0 && s.lacking != "" {
		add(Warning, fmt.Sprintf("no session has a value in %s, so it tells none from another", s.lacking), "see whether the field has that name in the records: their keys are listed above")
	}
	e.sayTimes(p, s, add)
	if least := model.LeastEdges(p.config.Train.MinEdges, span(s.times)); s.found > 0 && len(s.triplets) < least {
		add(OK, fmt.Sprintf("%d distinct triplets of the %d that a first training needs (Train_Min_Edges): more come with more of the log", len(s.triplets), least), "")
	}
}

func (e *examination) sayTimes(p *target, s *seen, add func(Level, string, string)) {
	c := &p.config.Fields
	switch ahead := time.Until(time.Unix(0, s.newest)); {
	case s.found == 0:
	case s.timed == 0 && len(c.Time) > 0 && !c.SSHD:
		add(Warning, fmt.Sprintf("no record has a readable time in %s: the time that the input sets is used instead", strings.Join(c.Time, " or ")), "set Time to the field that has it")
	case s.newest > 0 && ahead > filter.FarFuture:
		add(Warning, fmt.Sprintf("the newest record has the time %s, %v ahead of this machine's clock: such times are ignored", time.Unix(0, s.newest).UTC().Format(time.RFC3339), ahead.Round(time.Hour)),
			"set the clock right, of this machine or of the one that wrote the log, or look at its time zone")
	}
	if n, newest := s.outside(p.config.Graph.Window); n > 0 {
		add(Warning, fmt.Sprintf("%d of %d records lie more than Graph_Window (%s) before one that comes earlier, of %s: connections that are only in them are not learned",
			n, s.timed, config.FormatDuration(p.config.Graph.Window), time.Unix(0, newest).UTC().Format(time.RFC3339)),
			"see whether that time is right, and put the records in the order of their times")
	}
}

// span is how long the times span.
func span(times []int64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	return time.Duration(slices.Max(times) - slices.Min(times))
}

// outside is how many records lie more than a window before one that came earlier, and the time of the newest of these.
func (s *seen) outside(window time.Duration) (n int, of int64) {
	most, newest := time.Now().Add(filter.FarFuture).UnixNano(), int64(0)
	for _, t := range s.times {
		if t <= most {
			newest = max(newest, t)
		}
		if window > 0 && newest-t > int64(window) {
			n, of = n+1, newest
		}
	}
	return n, of
}

// keysOf names the keys that most records have.
func keysOf(keys map[string]int) string {
	names := slices.SortedFunc(maps.Keys(keys), func(a, b string) int {
		if keys[a] != keys[b] {
			return keys[b] - keys[a]
		}
		return strings.Compare(a, b)
	})
	out := make([]string, 0, mostKeys)
	for _, n := range names[:min(len(names), mostKeys)] {
		out = append(out, printable.Name(n, longestName))
	}
	text := strings.Join(out, ", ")
	if more := len(names) - mostKeys; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
