package elastic

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"flb-filter-rgcn/plugin/printable"
)

// Kind tells apart what may be wrong with a server's answers: a label for metrics.
type Kind string

// The kinds.
const (
	Unreachable Kind = "unreachable" // it does not answer, or answers that it is down
	Slow        Kind = "timeout"     // it does not answer in time
	Busy        Kind = "busy"        // it has too much to do (429)
	Partial     Kind = "partial"     // it answers for a part of its shards
	Refused     Kind = "refused"     // it refuses the user
	NoIndex     Kind = "no_index"    // there is no such index
	Mapping     Kind = "mapping"     // the fields are not there, or of types that cannot be aggregated
	Other       Kind = "other"
)

// Kinds are all of them.
var Kinds = []Kind{Unreachable, Slow, Busy, Partial, Refused, NoIndex, Mapping, Other}

// Error is what went wrong, in one line for people and without credentials.
type Error struct {
	Kind  Kind
	text  string
	again bool          // the same request may have more luck later
	after time.Duration // as the server asks for; 0: as it comes
	fewer bool          // with smaller pages
}

func (e *Error) Error() string { return e.text }

// KindOf is the kind of an error of this package.
func KindOf(err error) Kind {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Kind
	}
	return Other
}

func failure(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, text: fmt.Sprintf(format, args...)}
}

const (
	tries        = 4 // of a request
	longestPause = 30 * time.Second
)

// ask makes a request until it succeeds, is refused, or has been made often enough. check looks at the answer.
func (s *Source) ask(ctx context.Context, method, path string, body []byte, check func([]byte) error) error {
	for i := 1; ; i++ {
		err := s.once(ctx, method, path, body, check)
		if err == nil || ctx.Err() != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return nil
		}
		e := (*Error)(nil)
		if !errors.As(err, &e) || !e.again || i == tries {
			return err
		}
		pause := s.pause << (i - 1)
		pause += rand.N(pause/2 + 1)
		if e.after > 0 {
			pause = e.after
		}
		timer := time.NewTimer(min(pause, longestPause))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

func (s *Source) once(ctx context.Context, method, path string, body []byte, check func([]byte) error) error {
	s.report.Requests++
	answer, b, err := s.server.Ask(ctx, method, path, body)
	switch {
	case errors.As(err, new(tooLarge)): // it would be as large again, but a smaller page may do
		return &Error{Kind: Other, text: fmt.Sprintf("%s: %v", s.server.Host(), err), fewer: true}
	case errors.Is(err, errTimeout):
		return &Error{Kind: Slow, text: fmt.Sprintf("%s does not answer within %v", s.server.Host(), s.server.Patience), again: true}
	case err != nil:
		return &Error{Kind: Unreachable, text: fmt.Sprintf("%s does not answer: %v", s.server.Host(), err), again: true}
	}
	s.report.Bytes += uint64(len(b))
	if answer.StatusCode != http.StatusOK {
		return s.refusal(answer, b)
	}
	if err := check(b); err != nil {
		return err
	}
	return nil
}

// refusal is what an answer with another status than 200 means.
func (s *Source) refusal(answer *http.Response, body []byte) *Error {
	var said struct {
		Error json.RawMessage `json:"error"` // an object, or a text
	}
	var detail struct {
		Type   string `json:"type"`
		Reason string `json:"reason"`
		Root   []struct {
			Type   string `json:"type"`
			Reason string `json:"reason"`
		} `json:"root_cause"`
		Cause struct {
			Type   string `json:"type"`
			Reason string `json:"reason"`
		} `json:"caused_by"`
		Failed []struct {
			Reason struct {
				Type   string `json:"type"`
				Reason string `json:"reason"`
			} `json:"reason"`
		} `json:"failed_shards"`
	}
	if json.Unmarshal(body, &said) == nil {
		json.Unmarshal(said.Error, &detail)
	}
	reason := cmp.Or(detail.Reason, detail.Cause.Reason)
	if len(detail.Root) > 0 && detail.Root[0].Reason != "" {
		reason = detail.Root[0].Reason
	} else if reason == "" && len(detail.Failed) > 0 {
		reason = detail.Failed[0].Reason.Reason
	}
	if reason != "" {
		const most = 200
		reason, _, _ = strings.Cut(reason, ". Consider using") // to take a part for the whole
		reason = ": " + printable.Name(strings.Join(strings.Fields(reason), " "), most)
	}
	e := &Error{Kind: Other, text: fmt.Sprintf("%s answers with %d%s", s.server.Host(), answer.StatusCode, reason)}
	if bytes.Contains(body, []byte("too_many_buckets_exception")) {
		e.fewer = true
		return e
	}
	switch answer.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		e.text += redirected(answer)
	case http.StatusUnauthorized:
		e.Kind = Refused
		e.text = fmt.Sprintf("%s accepts no such credentials (401): the password or the API key is wrong, or has expired", s.server.Host())
		if s.server.Credentials == (Credentials{}) {
			e.text = fmt.Sprintf("%s wants credentials (401), and none are given", s.server.Host())
		}
	case http.StatusForbidden:
		e.Kind = Refused
		e.text = fmt.Sprintf("%s lets the user not read %s (403): want the privilege read for it", s.server.Host(), s.index)
		if detail.Type != "" && detail.Type != "security_exception" { // of an index that is blocked
			e.text += reason
		}
	case http.StatusNotFound:
		e.Kind = NoIndex
		e.text = s.noIndex()
	case http.StatusTooManyRequests:
		e.Kind, e.again = Busy, true
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		e.Kind, e.again = Unreachable, true
		switch { // as allow_partial_search_results=false has it, and where no shard is left
		case detail.Type == "search_phase_execution_exception", detail.Type == "no_shard_available_action_exception", len(detail.Failed) > 0:
			e.Kind = Partial
			e.text = fmt.Sprintf("%s has not all shards of %s (%d)%s", s.server.Host(), s.index, answer.StatusCode, reason)
		}
	}
	e.after = retryAfter(answer.Header, time.Now())
	return e
}

// retryAfter is for how long a server asks to be left alone, up to the longest pause; 0: it does not. A time counts from
// that of the answer: the server's clock may not be this machine's.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(max(0, min(seconds, int(longestPause/time.Second)))) * time.Second
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	if sent, err := http.ParseTime(h.Get("Date")); err == nil {
		now = sent
	}
	return max(0, min(until.Sub(now), longestPause))
}

// redirected tells where an answer redirects to, without what may be secret in it.
func redirected(answer *http.Response) string {
	to, err := answer.Location()
	if err != nil {
		return ""
	}
	return fmt.Sprintf(": it redirects to %s://%s, which is not followed; want the address of the search server itself", printable.Name(to.Scheme, 20), printable.Name(to.Host, 200))
}

func (s *Source) noIndex() string {
	return fmt.Sprintf("%s has no index, alias or data stream %s", s.server.Host(), s.index)
}

// stranger is the error of an answer with status 200 that no search server gives, such as the page of a proxy.
func (s *Source) stranger(answer []byte) *Error {
	const most = 60
	begins := "is empty"
	if len(answer) > 0 {
		begins = fmt.Sprintf("begins with %q", bytes.Join(bytes.Fields(answer[:min(len(answer), most)]), []byte(" ")))
	}
	return &Error{Kind: Other, again: true, text: fmt.Sprintf("%s does not answer as a search server does: what it sends %s; want the address of Elasticsearch or OpenSearch, not that of a proxy with a login page or of Kibana",
		s.server.Host(), begins)}
}

// completeness is the part of an answer that tells whether it is one.
type completeness struct {
	Took     int64 `json:"took"` // milliseconds
	TimedOut bool  `json:"timed_out"`
	Shards   struct {
		Total, Failed int
	} `json:"_shards"`
	Clusters struct {
		Skipped, Partial, Failed int
	} `json:"_clusters"`
}

func (s *Source) complete(c *completeness) error {
	switch {
	case c.TimedOut:
		return &Error{Kind: Slow, text: fmt.Sprintf("%s stops an aggregation that takes longer than %v", s.server.Host(), s.server.Patience), again: true}
	case c.Shards.Failed > 0:
		return &Error{Kind: Partial, text: fmt.Sprintf("%s answers for a part of the index: %d of %d shards failed", s.server.Host(), c.Shards.Failed, c.Shards.Total), again: true}
	case c.Clusters.Skipped+c.Clusters.Partial+c.Clusters.Failed > 0:
		return &Error{Kind: Partial, text: fmt.Sprintf("%s answers without some of its remote clusters", s.server.Host()), again: true}
	case c.Shards.Total == 0:
		return &Error{Kind: NoIndex, text: s.noIndex()}
	}
	return nil
}

// whole makes completeness a part of an answer that search can find.
func (c *completeness) whole() *completeness { return c }

// searchPath is what follows the index: no parts of an answer in the place of all, and of each answer what is read.
const searchPath = "/_search?allow_partial_search_results=false&request_cache=false&filter_path=took,timed_out,_shards.total,_shards.failed,_clusters," +
	"hits.total,aggregations.*.value,aggregations.*.doc_count,aggregations.*.after_key,aggregations.*.buckets.key," +
	"aggregations.*.buckets.doc_count,aggregations.*.buckets.*.value"

// search makes a search and decodes its answer, which must be one for all shards.
func search[T any, P interface {
	*T
	whole() *completeness
}](ctx context.Context, s *Source, query map[string]any) (out *T, err error) {
	query["size"], query["timeout"] = 0, strconv.FormatInt(s.server.Patience.Milliseconds(), 10)+"ms"
	body, err := json.Marshal(query)
	if err != nil {
		return nil, err
	}
	err = s.ask(ctx, http.MethodPost, "/"+url.PathEscape(s.index)+searchPath, body, func(answer []byte) error {
		out = new(T)
		d := json.NewDecoder(bytes.NewReader(answer))
		d.UseNumber()
		if err := d.Decode(out); err != nil {
			return s.stranger(answer)
		}
		s.report.Cluster += time.Duration(P(out).whole().Took) * time.Millisecond
		return s.complete(P(out).whole())
	})
	return out, err
}
