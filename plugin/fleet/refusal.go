package fleet

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"flb-filter-rgcn/plugin/printable"
	"flb-filter-rgcn/plugin/secretfile"
)

const (
	maxSaid    = 200      // bytes of a server's own words in an error
	maxRefusal = 16 << 10 // of the body of a refusal that are read
)

// refusal is the error of an answer that is none of success.
type refusal struct {
	text    string
	missing bool // nothing lies there
	lasting bool // the same request will be refused again
}

func (r *refusal) Error() string { return r.text }

// Is tells that nothing lies there as the error of a file that does not exist would.
func (r *refusal) Is(target error) bool { return r.missing && target == fs.ErrNotExist }

// Lasts tells that an error of a Place will come again until somebody changes something: rights, a name, a place.
func Lasts(err error) bool {
	var r *refusal
	return errors.As(err, &r) && r.lasting
}

// lasting tells whether a server that answers with a status will do so again.
func lasting(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusLocked, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return status < 500
}

// refused is the error of an answer that is none of success, with what it means as far as that is known, else with the
// beginning of what the server says.
func (w *web) refused(resp *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	if asked := resp.Request.URL; origin(asked) != origin(w.url) { // what another server says is for nobody's log
		return &refusal{fmt.Sprintf("%s, to which it redirects, answers %d %s", printable.Line(origin(asked)), resp.StatusCode, http.StatusText(resp.StatusCode)),
			resp.StatusCode == http.StatusNotFound, lasting(resp.StatusCode)}
	}
	status := "the server answers " + printable.Line(resp.Status)
	if w.explain != nil {
		if r := w.explain(resp, body); r != nil {
			r.text, r.lasting = status+", "+printable.Line(r.text), lasting(resp.StatusCode)
			return r
		}
	}
	hint := ""
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		hint = " (see fleet.credentials)"
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		if to, err := resp.Location(); err == nil {
			hint = fmt.Sprintf(" (it redirects to %s://%s, which is not followed where something is published: name the place itself)", to.Scheme, to.Host)
		}
	case http.StatusNotFound:
		hint = " (nothing is published there yet, or it lies elsewhere)"
	}
	text := said(string(body))
	switch {
	case isPage(text): // for people with a browser
		text = ""
	case text != "":
		text = ": " + text
	}
	return &refusal{status + printable.Line(hint) + text, resp.StatusCode == http.StatusNotFound, lasting(resp.StatusCode)}
}

// isPage tells the beginning of a page of HTML.
func isPage(text string) bool {
	lower := strings.ToLower(text)
	return strings.HasPrefix(lower, "<!doctype html") || strings.HasPrefix(lower, "<html")
}

// said is the beginning of a server's own words, in one line.
func said(text string) string {
	return strings.Join(strings.Fields(printable.Line(text[:min(len(text), maxSaid)])), " ")
}

// plain takes the URL, with its query, out of an error, and adds what to do about it where that is known. after is how
// long the request took until then.
func plain(err error, after time.Duration) error {
	var u *url.Error
	if !errors.As(err, &u) {
		return err
	}
	var timeout net.Error
	if errors.As(u.Err, &timeout) && timeout.Timeout() {
		return fmt.Errorf("no answer within %v", after.Round(time.Second))
	}
	return secretfile.Explain(u.Err, "fleet.ca_file", strings.HasPrefix(u.URL, "https:"))
}
