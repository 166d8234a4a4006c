package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"flb-filter-rgcn/plugin/doctor/hostconf"
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
	if by := e.taker(address); by != "" {
		add(Problem, by+" of this configuration listens there too: whichever comes second gets nothing, and Fluent Bit does not start if that is its own part",
			"name another port, such as "+freePort)
		return
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

// freePort is a port that no plugin of the host has by default.
const freePort = "2023"

// listening are the plugins of the host that listen for TCP, with their ports where none is set.
var listening = map[string]string{
	hostconf.Input + " http": "9880", hostconf.Input + " forward": "24224", hostconf.Input + " tcp": "5170", hostconf.Input + " syslog": "5140",
	hostconf.Input + " mqtt": "1883", hostconf.Input + " splunk": "8088", hostconf.Input + " opentelemetry": "4318",
	hostconf.Input + " elasticsearch": "9200", hostconf.Input + " prometheus_remote_write": "8080",
	hostconf.Output + " prometheus_exporter": "2021", hostconf.Output + " vivo_exporter": "2025",
}

// taker names the part of the configuration, with its place, that listens on an address; "" where none does.
func (e *examination) taker(address string) string {
	if e.conf == nil {
		return ""
	}
	takes := func(s *hostconf.Section, hostKey, portKey, port string) bool {
		if own := s.Value(portKey); own != "" {
			port = own
		}
		host := s.Value(hostKey)
		if host == "" {
			host = "0.0.0.0"
		}
		return sameAddress(address, net.JoinHostPort(host, port))
	}
	for _, s := range e.conf.Of(hostconf.Service) {
		if on(s.Value("http_server")) && takes(s, "http_listen", "http_port", "2020") {
			return "the HTTP server of Fluent Bit (" + s.At.String() + ")"
		}
	}
	for _, kind := range []struct{ name, host string }{{hostconf.Input, "listen"}, {hostconf.Output, "host"}} {
		for _, s := range e.conf.Of(kind.name) {
			plugin := strings.ToLower(s.Value("name"))
			port, listens := listening[kind.name+" "+plugin]
			if !listens || !s.Active() || plugin == "forward" && s.Value("unix_path") != "" || plugin == "syslog" && !strings.EqualFold(s.Value("mode"), "tcp") {
				continue
			}
			if takes(s, kind.host, "port", port) {
				return "the " + kind.name + " " + plugin + " (" + s.At.String() + ")"
			}
		}
	}
	return ""
}

// sameAddress reports whether only one of two addresses can be listened on at a time.
func sameAddress(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB {
		return false
	}
	return all(hostA) || all(hostB) || hostA == hostB || hostname.IsLoopback(a) && hostname.IsLoopback(b) && (hostA == "localhost" || hostB == "localhost")
}

// all reports whether a host stands for every address of the machine.
func all(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
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
