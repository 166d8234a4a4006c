package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"golang.org/x/sys/unix"

	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/hostname"
	"flb-filter-rgcn/plugin/printable"
)

const (
	// answerTimeout is how long a server may take to answer.
	answerTimeout = 5 * time.Second
	// mostAnswer is how much of the answer is read, in bytes.
	mostAnswer = 1 << 20
)

// client asks the named server and no other: it follows no redirect and uses no proxy.
func client(transport *http.Transport) *http.Client {
	transport.Proxy = nil
	return &http.Client{Timeout: answerTimeout, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// ports checks the address of each filter's metrics.
func (e *examination) ports(ctx context.Context) {
	for _, p := range e.targets {
		if p.valid && p.config.Metrics.Listen != "" {
			e.port(ctx, p)
		}
	}
}

func (e *examination) port(ctx context.Context, p *target) {
	address := p.config.Metrics.Listen
	add := func(level Level, text, fix string) {
		e.findings.add(level, TopicMetrics, p.where("metrics_listen"), text, fix)
	}
	listener, err := net.Listen("tcp", address)
	switch {
	case err == nil:
		listener.Close()
		text := address + " is free"
		if !hostname.IsLoopback(address) {
			text += "; other machines may reach it, and there is no password: restrict who does"
		}
		add(OK, text, "")
	case !errors.Is(err, unix.EADDRINUSE):
		add(Warning, fmt.Sprintf("user %[2]d cannot listen on %[1]s: %[3]v; records are scored all the same", address, unix.Geteuid(), innermost(err)), "name another address")
	case e.Offline:
		add(OK, address+" is in use; by which process was not asked (-offline)", "")
	default:
		e.health(ctx, p, address, add)
	}
}

// health asks the process at the address for its health.
func (e *examination) health(ctx context.Context, p *target, address string, add func(Level, string, string)) {
	var status filter.Status
	err := getJSON(ctx, "http://"+address+"/healthz", &status)
	if err != nil || status.State == "" {
		add(Warning, address+" is in use by something that is not this filter: there are no metrics until it is free; records are scored all the same", "name another address")
		return
	}
	text := fmt.Sprintf("a filter rgcn runs at %s and is %s: %s", address, printable.Name(status.State, longestName), status.Records)
	switch status.State {
	case filter.StateDegraded:
		add(Problem, text, clean(status.Problem))
	default:
		if status.Problem != "" {
			text += "; " + clean(status.Problem)
		}
		add(OK, text, "")
	}
}

func getJSON(ctx context.Context, url string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := client(&http.Transport{DisableKeepAlives: true}).Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	return json.NewDecoder(io.LimitReader(answer.Body, mostAnswer)).Decode(into)
}
