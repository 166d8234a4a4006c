package metrics

import (
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"flb-filter-rgcn/plugin/filter"
)

// saidEvery keeps what happens with every request from filling the log.
const saidEvery = time.Minute

// seldom says the first of many things in a minute.
type seldom struct {
	to   func(level filter.Level, message string)
	mu   sync.Mutex
	last time.Time
}

// log says the message, and at the level of debugging the stack behind it, unless something was said lately.
func (s *seldom) log(level filter.Level, message string, stack []byte) {
	s.mu.Lock()
	now := time.Now()
	again := !s.last.IsZero() && now.Sub(s.last) < saidEvery
	if !again {
		s.last = now
	}
	s.mu.Unlock()
	if again {
		return
	}
	s.to(level, message)
	for line := range strings.Lines(string(stack)) {
		s.to(filter.LevelDebug, strings.TrimSpace(line))
	}
}

// guarded is a collector whose panic is an error of one scrape. Collectors run in goroutines of their own, where a
// panic would end the host.
type guarded struct {
	prometheus.Collector
	said *seldom
}

// Collect implements prometheus.Collector.
func (g guarded) Collect(out chan<- prometheus.Metric) {
	defer func() {
		if v := recover(); v != nil {
			err := fmt.Errorf("metrics: panic: %v", v)
			g.said.log(filter.LevelError, err.Error(), debug.Stack())
			out <- prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(err), err)
		}
	}()
	g.Collector.Collect(out)
}
