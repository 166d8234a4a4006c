package fleet

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"flb-filter-rgcn/plugin/secretfile"
)

// web is a file of a server, reached by GET and PUT.
type web struct {
	client *http.Client
	url    *url.URL
	name   string // in messages
	// sign adds to a request of such a body what the server asks for; nil: it asks for nothing.
	sign func(r *http.Request, body []byte) error
	// explain tells what a refusal with this body means, nil where it does not know; nil: no answer is known.
	explain func(resp *http.Response, body []byte) *refusal
	idle    time.Duration // how long an answer may pause
	// lookup finds the addresses of a host.
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)
}

func (w *web) String() string { return w.name }

const (
	// answerTimeout is how long a server may take until it begins to answer, idleTimeout how long it may send nothing of
	// the rest, and transferTimeout how long all of it may take: a state of a gigabyte at 2 MB/s.
	answerTimeout   = time.Minute
	idleTimeout     = time.Minute
	transferTimeout = 10 * time.Minute
	// mostUnasked bytes are sent to a server that has not seen the headers. One that refuses a longer state, as it is too
	// large for it or the credentials are wrong, may close the connection while the rest comes: why would be lost, and a
	// state be sent in vain with each try.
	mostUnasked = 64 << 10
)

// newClient verifies certificates, by those of a file where one is named.
func newClient(caFile string) (*http.Client, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	t.ResponseHeaderTimeout, t.MaxResponseHeaderBytes = answerTimeout, 64<<10
	t.DisableCompression = true // it is compressed
	t.DialContext = dial
	t.MaxIdleConns, t.IdleConnTimeout = 1, 2*time.Minute
	if caFile != "" {
		var err error
		if t.TLSClientConfig.RootCAs, err = secretfile.Authorities(caFile); err != nil {
			return nil, fmt.Errorf("%s: %w", caFile, err)
		}
	}
	return &http.Client{Transport: t}, nil
}

// secret returns why credentials are not to be sent to a URL.
func secret(u *url.URL) error {
	if !secretfile.InClear(u) {
		return nil
	}
	return fmt.Errorf("%s: credentials would cross the network in the clear: want https", nameOf(u))
}

// Close lets idle connections go.
func (w *web) Close() { w.client.CloseIdleConnections() }

// Put sends the state. A server that answers with anything but success has not taken it.
func (w *web) Put(ctx context.Context, state []byte) error {
	resp, err := w.do(ctx, http.MethodPut, "", state, len(state) > mostUnasked)
	if err == nil && resp.StatusCode == http.StatusExpectationFailed { // it does not know how to be asked
		resp.Body.Close()
		resp, err = w.do(ctx, http.MethodPut, "", state, false)
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return w.refused(resp)
	}
	io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection is used again; the state is taken, whatever comes
	return nil
}

// Get asks for the state if it is another one.
func (w *web) Get(ctx context.Context, tag string) (io.ReadCloser, string, error) {
	resp, err := w.do(ctx, http.MethodGet, tag, nil, false)
	if err != nil {
		return nil, "", err
	}
	switch {
	case resp.StatusCode == http.StatusNotModified && tag != "":
		resp.Body.Close()
		return nil, tag, ErrNotModified
	case resp.StatusCode != http.StatusOK:
		defer resp.Body.Close()
		return nil, "", w.refused(resp)
	}
	return resp.Body, resp.Header.Get("ETag"), nil
}

// do sends a request, and one for what has not the tag, unless that is "". With ask the server is asked for its consent
// before the body goes out. The caller closes the body of the answer, which fails where it pauses for too long.
func (w *web) do(ctx context.Context, method, tag string, body []byte, ask bool) (*http.Response, error) {
	ctx, end := context.WithTimeout(ctx, transferTimeout)
	ctx, cancel := context.WithCancelCause(ctx)
	stop := func(why error) { cancel(why); end() }
	r, err := http.NewRequestWithContext(ctx, method, w.url.String(), bytes.NewReader(body))
	if err != nil {
		stop(nil)
		return nil, err
	}
	r.Header.Set("User-Agent", "flb-filter-rgcn")
	if method == http.MethodPut {
		r.Header.Set("Content-Type", "application/octet-stream")
	}
	if tag != "" {
		r.Header.Set("If-None-Match", tag)
	}
	if ask {
		r.Header.Set("Expect", "100-continue")
	}
	if w.sign != nil {
		if err := w.sign(r, body); err != nil {
			stop(nil)
			return nil, err
		}
	}
	began := time.Now()
	resp, err := w.client.Do(r)
	if err != nil {
		stop(nil)
		return nil, plain(err, time.Since(began))
	}
	resp.Body = &answer{resp.Body, ctx, stop, w.idle, began}
	return resp, nil
}

// answer is the body of an answer. Its request ends with it, and fails where nothing of it comes for a time.
type answer struct {
	io.ReadCloser
	ctx   context.Context
	stop  func(why error)
	idle  time.Duration
	began time.Time
}

func (a *answer) Read(p []byte) (int, error) {
	timer := time.AfterFunc(a.idle, func() { a.stop(fmt.Errorf("nothing came for %v", a.idle)) })
	n, err := a.ReadCloser.Read(p)
	timer.Stop()
	if err == nil || err == io.EOF || a.ctx.Err() == nil {
		return n, err
	}
	if why := context.Cause(a.ctx); !errors.Is(why, context.DeadlineExceeded) {
		return n, why
	}
	return n, fmt.Errorf("not all of it came within %v", time.Since(a.began).Round(time.Second))
}

func (a *answer) Close() error {
	err := a.ReadCloser.Close()
	a.stop(nil)
	return err
}
