package metrics

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"flb-filter-rgcn/plugin/report"
)

const (
	// freshFor is how long a drawing is served before it is drawn anew.
	freshFor = 10 * time.Second
	// drawingShare bounds the time spent on drawing to one part in so many, however many clients there are and however
	// large the graph is.
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
