package metrics

import (
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/outage"
)

// logInterval is the least time between two messages, so that requests cannot flood the log.
const logInterval = time.Minute

// limitedLog logs the first of many messages in a minute.
type limitedLog struct {
	to    func(level filter.Level, message string)
	pause outage.Pause
}

// log logs the message, and the stack behind it at debug level, unless it logged another lately.
func (s *limitedLog) log(level filter.Level, message string, stack []byte) {
	if !s.pause.Over(time.Now(), logInterval) {
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
	limited *limitedLog
}

// Collect implements prometheus.Collector.
func (g guarded) Collect(out chan<- prometheus.Metric) {
	defer func() {
		if v := recover(); v != nil {
			err := fmt.Errorf("metrics: panic: %v", v)
			g.limited.log(filter.LevelError, err.Error(), debug.Stack())
			out <- prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(err), err)
		}
	}()
	g.Collector.Collect(out)
}
