// Command plugin is the shared object flb-filter_rgcn.so, which Fluent Bit loads as the filter rgcn. It joins the parts:
// package fluentbit, which the host calls, with a filter and the server of its metrics for each instance.
package main

import (
	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/fluentbit"
	"flb-filter-rgcn/plugin/metrics"
)

// main is never called; a shared object needs one.
func main() {}

func init() {
	fluentbit.Register(fluentbit.Plugin{
		Check: func(h *fluentbit.Host) error { return filter.Check(h) },
		New:   newInstance,
	})
}

// instance is one filter section of the host's configuration.
type instance struct {
	*filter.Instance
	metrics *metrics.Server // nil: metrics.listen is not set
}

func newInstance(h *fluentbit.Host) (fluentbit.Instance, error) {
	f, err := filter.New(h)
	if err != nil {
		return nil, err
	}
	return &instance{f, metrics.Start(f, f.Config().Metrics, h)}, nil
}

// Close stops the server first: it asks the filter for what it shows.
func (i *instance) Close() error {
	i.metrics.Close()
	return i.Instance.Close()
}
