package elastic

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"flb-filter-rgcn/plugin/secretfile"
)

// Server is a search server and what it takes to ask it. Credentials are in no error and in no text of it.
type Server struct {
	URL         string // without credentials, without a slash at the end
	Credentials Credentials
	Authorities string        // path of a file with certificates of those who may vouch for it; "": the system's
	Setting     string        // that names the file, for errors; "": none does
	Unverified  bool          // its certificate is not looked at
	Patience    time.Duration // for one answer
	MostBytes   int64         // of one answer

	client *http.Client
}

// ParseURL splits an address such as https://user:password@host:9200/path into a server and the credentials in it.
func ParseURL(text string) (*url.URL, Credentials, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
		return nil, Credentials{}, errors.New("is no address of a search server, want http://HOST:PORT/INDEX or https://HOST:PORT/INDEX")
	}
	var c Credentials
	if u.User != nil {
		c.User = u.User.Username()
		c.Password, _ = u.User.Password()
		u.User = nil
	}
	return u, c, nil
}

// connect makes the client: it follows no redirect, and the proxy that the environment names.
func (s *Server) connect() error {
	if s.client != nil {
		return nil
	}
	trust := &tls.Config{InsecureSkipVerify: s.Unverified, MinVersion: tls.VersionTLS12}
	if s.Authorities != "" {
		var err error
		if trust.RootCAs, err = secretfile.Authorities(s.Authorities); err != nil {
			return fmt.Errorf("%s %s: %w", cmp.Or(s.Setting, "the file of authorities"), s.Authorities, err)
		}
	}
	s.client = &http.Client{
		Timeout:       s.Patience,
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: trust, MaxIdleConnsPerHost: 1, IdleConnTimeout: 30 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return nil
}

// Ask makes one request, with a JSON body unless that is nil, and returns the answer, whatever its status. path begins
// with a slash. The error is without the address.
func (s *Server) Ask(ctx context.Context, method, path string, body []byte) (*http.Response, []byte, error) {
	if err := s.connect(); err != nil {
		return nil, nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, s.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, errors.New("is no address")
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	s.Credentials.sign(request)
	answer, err := s.client.Do(request)
	if err != nil {
		return nil, nil, secretfile.Explain(bare(err), cmp.Or(s.Setting, "graph.source_ca (-ca)"), strings.HasPrefix(s.URL, "https:"))
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, s.MostBytes+1))
	if err != nil {
		return nil, nil, bare(err)
	}
	if int64(len(b)) > s.MostBytes {
		return nil, nil, tooLarge(s.MostBytes)
	}
	return answer, b, nil
}

// inClear tells whether there are credentials, and they cross a network for all to read.
func (s *Server) inClear() bool {
	u, err := url.Parse(s.URL)
	return err == nil && s.Credentials != (Credentials{}) && secretfile.InClear(u)
}

// Close lets idle connections go. The next request connects anew.
func (s *Server) Close() {
	if s.client != nil {
		s.client.CloseIdleConnections()
		s.client = nil
	}
}

// bare is an error of a client without the address that it begins with.
func bare(err error) error {
	if outer := (*url.Error)(nil); errors.As(err, &outer) {
		if outer.Timeout() && !errors.Is(err, context.Canceled) {
			return errTimeout
		}
		err = outer.Err
	}
	if e := net.Error(nil); errors.As(err, &e) && e.Timeout() {
		return errTimeout
	}
	return err
}

// tooLarge is the error of an answer of more bytes than that.
type tooLarge int64

func (most tooLarge) Error() string {
	return fmt.Sprintf("an answer is larger than %.3g MiB", float64(most)/(1<<20))
}

var errTimeout = errors.New("no answer in time")

// Host is the address without its path, for people.
func (s *Server) Host() string {
	scheme, rest, _ := strings.Cut(s.URL, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}
