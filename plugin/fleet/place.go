package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"

	"flb-filter-rgcn/plugin/secretfile"
)

// FileName is the name of a published state where a place is given as a directory.
const FileName = "state.rgcn"

// Place is where a published state lies.
type Place interface {
	// Put replaces the state that lies there, wholly or not at all.
	Put(ctx context.Context, state []byte) error
	// Get returns the state that lies there and a tag of it, or ErrNotModified where the tag is still the given one. ""
	// is the tag of nothing. The caller closes the body.
	Get(ctx context.Context, tag string) (body io.ReadCloser, newTag string, err error)
	// String names the place in messages. It holds no secret.
	String() string
	// Close lets idle connections go.
	Close()
}

// ErrNotModified says that a place holds what it held before.
var ErrNotModified = errors.New("not modified")

// Access is how servers are reached.
type Access struct {
	Credentials string // path of a file; "": those of the environment, if any
	CAFile      string // path of a PEM file with certificates to trust instead of the system's; ""
	S3Endpoint  string // URL of a server that speaks S3; "": Amazon's
	S3Region    string // "": of the environment, else us-east-1
}

// CheckPlace returns why Open would refuse a place whatever files there are.
func CheckPlace(place string) error {
	_, err := parsePlace(place)
	return err
}

// IsPath tells a path of this machine from a URL.
func IsPath(place string) bool {
	u, err := parsePlace(place)
	return err == nil && u == nil
}

// PlaceName is a place as messages name it: a URL without its query, where some servers have their secrets.
func PlaceName(place string) string {
	if u, err := parsePlace(place); err == nil && u != nil {
		return nameOf(u)
	}
	return place
}

// parsePlace returns the URL of a place, nil for a path.
func parsePlace(place string) (*url.URL, error) {
	scheme, _, ok := strings.Cut(place, "://")
	if !ok {
		return nil, nil
	}
	u, err := url.Parse(place)
	if err != nil {
		// The error of package url repeats it, with a password perhaps.
		return nil, errors.New("it is no URL; a % that is meant as such is written as %25")
	}
	user := secretfile.CheckURL(u, "fleet.credentials")
	switch {
	case scheme != "http" && scheme != "https" && scheme != "s3":
		return nil, fmt.Errorf("the scheme %q is none of http, https and s3", scheme)
	case user != nil:
		return nil, user
	case u.Host == "":
		return nil, errors.New("it names no host")
	case u.Fragment != "":
		return nil, errors.New("it has a #, which no server gets to see; one that is part of a name is written as %23")
	case scheme == "s3" && u.RawQuery != "":
		return nil, errors.New("it has a ?, want s3://BUCKET/KEY; one that is part of the key is written as %3F")
	case scheme == "s3" && strings.Trim(u.Path, "/") == "" && !strings.HasSuffix(u.Path, "/"):
		return nil, errors.New("want s3://BUCKET/KEY")
	}
	return u, nil
}

// Open returns a place by its URL or its path. A path that ends with a slash, or is that of a directory, and a URL that
// ends with a slash stand for the file FileName there.
func Open(place string, a Access) (Place, error) {
	u, err := parsePlace(place)
	if err != nil {
		return nil, err
	}
	if u == nil {
		return newDirectory(place), nil
	}
	if u.Path == "" {
		u.Path = "/"
	}
	if strings.HasSuffix(u.Path, "/") {
		if u.Path += FileName; u.RawPath != "" { // it has a %2F, which is no slash between folders
			u.RawPath += FileName
		}
	}
	c, err := readCredentials(a.Credentials)
	switch {
	case err != nil && a.Credentials != "":
		return nil, fmt.Errorf("fleet.credentials: %w", err)
	case err != nil:
		return nil, err
	}
	client, err := newClient(a.CAFile)
	if err != nil {
		return nil, fmt.Errorf("fleet.ca_file: %w", err)
	}
	w := &web{client: client, url: u, name: nameOf(u), idle: idleTimeout, lookup: lookup}
	client.CheckRedirect = w.redirect
	if u.Scheme == "s3" {
		return newS3(w, c, a)
	}
	if c.user+c.token != "" {
		if err := secret(u); err != nil {
			return nil, err
		}
		w.sign = c.authorize
	}
	return w, nil
}

// nameOf is a URL without its query.
func nameOf(u *url.URL) string {
	plain := *u
	plain.RawQuery = ""
	return plain.String()
}

// authorize adds a password or a token to a request.
func (c credentials) authorize(r *http.Request, _ []byte) error {
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	} else {
		r.SetBasicAuth(c.user, c.password)
	}
	return nil
}

// clean is a path as it is given, with FileName where it stands for a directory.
func clean(path string, isDirectory func(string) bool) string {
	if strings.HasSuffix(path, "/") || isDirectory(path) {
		return filepath.Join(path, FileName)
	}
	return filepath.Clean(path)
}
