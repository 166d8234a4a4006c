package metrics

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/report"
)

const (
	// freshFor is how long a drawing serves all who look.
	freshFor = 10 * time.Second
	// drawingShare is the most of the time that goes into drawing, one part in so many, however many look and however large the
	// graph is.
	drawingShare = 20
)

// picture is the page of the graph as it is now, or was lately.
type picture struct {
	draw func() *report.Data

	mu         sync.Mutex
	until      time.Time // when the drawing is too old
	data       *report.Data
	page, json []byte // of the drawing; nil: not asked for yet
}

// of returns the page, or the data that a page which is open asks for.
func (p *picture) of(wantPage bool) (body []byte, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if began := time.Now(); !began.Before(p.until) {
		p.data, p.page, p.json = p.draw(), nil, nil
		p.until = time.Now().Add(max(freshFor, drawingShare*time.Since(began)))
	}
	if wantPage {
		if p.page == nil {
			var page bytes.Buffer
			if err := report.WritePage(&page, p.data); err != nil {
				return nil, err
			}
			p.page = page.Bytes()
		}
		return p.page, nil
	}
	if p.json == nil {
		p.json, err = json.Marshal(p.data)
	}
	return p.json, err
}

func (p *picture) serve(w http.ResponseWriter, wantPage bool, contentType string) {
	body, err := p.of(wantPage)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	w.Write(body) // an error is a reader who left
}

func (p *picture) servePage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", report.Policy(true))
	p.serve(w, true, "text/html; charset=utf-8")
}

func (p *picture) serveData(w http.ResponseWriter, r *http.Request) {
	p.serve(w, false, "application/json")
}

// draw shows the graph's triplets, and scores of those that lately had a low one. Of a graph that is too large for a page it
// takes what the page would show first, and leaves the rest where it is.
func draw(f *filter.Instance) *report.Data {
	b := report.NewBuilder()
	watched, status := f.Watched(), f.Status()
	low := make([]graphbuf.Event, 0, len(watched.Recent))
	for i := range watched.Recent {
		r := &watched.Recent[i]
		e := graphbuf.Event{Source: []byte(r.Source), Relation: []byte(r.Relation), Destination: []byte(r.Destination), Time: r.Time}
		low = append(low, e)
		b.Connect(&report.Session{
			Source: e.Source, Relation: e.Relation, Destination: e.Destination,
			Reason: []byte(r.Reason), Evidence: r.Evidence, Score: r.Score, Low: true, Time: r.Time,
		}, 0)
	}
	part := f.Part(low, report.MaxEdges)
	for i := range part.Edges {
		e := &part.Edges[i]
		b.Connect(&report.Session{
			Source: []byte(part.Nodes[e.Source].Name), Relation: []byte(part.Relations[e.Relation].Name),
			Destination: []byte(part.Nodes[e.Destination].Name), Score: report.NoScore, Time: e.Last,
		}, uint64(e.Count))
	}
	d := b.Data()
	d.Live = true
	d.Omitted = uint64(max(part.All-len(d.Edges), 0))
	d.Records, d.Scored, d.Low = status.Records.Total, 0, status.Records.LowScore
	d.From, d.To = part.First/1e6, part.Last/1e6
	d.Threshold = nil
	if status.Model != nil {
		d.Threshold = &status.Model.Threshold
	}
	d.Histogram = report.Histogram{Low: watched.Low[:], Other: watched.Other[:]}
	for i := range watched.Low {
		d.Scored += watched.Low[i] + watched.Other[i]
	}
	if n := len(watched.Hours); n > 0 {
		const hour = int64(time.Hour / time.Millisecond)
		first, last := watched.Hours[0].Hour, watched.Hours[n-1].Hour
		d.Timeline = report.Timeline{Start: first * hour, Step: hour, Low: make([]uint64, last-first+1), All: make([]uint64, last-first+1)}
		for _, h := range watched.Hours {
			d.Timeline.Low[h.Hour-first], d.Timeline.All[h.Hour-first] = h.LowScore, h.Scored
		}
	}
	return d
}
