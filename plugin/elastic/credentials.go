package elastic

import (
	"fmt"
	"net/http"
	"strings"

	"flb-filter-rgcn/plugin/secretfile"
)

// Credentials are a user and a password, or an API key. They print as nothing.
type Credentials struct {
	User, Password string
	Key            string // as the server gave it, encoded in base64
}

// String keeps them out of whatever is printed.
func (c Credentials) String() string {
	if c == (Credentials{}) {
		return "none"
	}
	return "hidden"
}

// GoString is String.
func (c Credentials) GoString() string { return c.String() }

func (c Credentials) sign(r *http.Request) {
	switch {
	case c.Key != "":
		r.Header.Set("Authorization", "ApiKey "+c.Key)
	case c.User != "":
		r.SetBasicAuth(c.User, c.Password)
	}
}

// Names of variables of the environment.
const (
	EnvUser = "ES_AUTH"    // user:password
	EnvKey  = "ES_API_KEY" // an API key
)

// maxCredentials bounds the file.
const maxCredentials = 16 << 10

const wantCredentials = "want one line: user:password, or ApiKey and a key in base64"

// LoadCredentials reads them from a file, or, where path is "", from the environment; there may be none there. No error
// has anything of what is in the file.
func LoadCredentials(path string) (c Credentials, err error) {
	if path == "" {
		if key := secretfile.FromEnv(EnvKey); key != "" {
			if hasControls(key) || strings.Contains(key, " ") {
				return c, fmt.Errorf("%s in the environment is no key: want a key in base64", EnvKey)
			}
			return Credentials{Key: key}, nil
		}
		text := secretfile.FromEnv(EnvUser)
		if text == "" {
			return c, nil
		}
		if c, ok := parseCredentials(text); ok {
			return c, nil
		}
		return c, fmt.Errorf("%s in the environment is no user and password: want user:password in one line", EnvUser)
	}
	text, err := secretfile.Read(path, maxCredentials)
	if err != nil {
		return c, fmt.Errorf("the file of credentials %s: %w", path, err)
	}
	c, ok := parseCredentials(strings.TrimSpace(string(text)))
	if !ok {
		return c, fmt.Errorf("the file of credentials %s: %s", path, wantCredentials)
	}
	return c, nil
}

// hasControls tells a text with control characters, which cannot stand in a header.
func hasControls(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// parseCredentials reads one line. What cannot stand in a header is refused.
func parseCredentials(text string) (c Credentials, ok bool) {
	if text == "" || hasControls(text) {
		return c, false
	}
	if scheme, key, found := strings.Cut(text, " "); found && strings.EqualFold(scheme, "apikey") {
		c.Key = strings.TrimSpace(key)
		return c, c.Key != "" && !strings.Contains(c.Key, " ")
	}
	c.User, c.Password, ok = strings.Cut(text, ":")
	return c, ok && c.User != ""
}
