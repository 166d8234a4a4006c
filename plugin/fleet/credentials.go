package fleet

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"flb-filter-rgcn/plugin/secretfile"
)

// credentials are what servers ask for. They never go into a message.
type credentials struct {
	user, password, token                           string // of HTTP servers: basic or bearer authentication
	accessKeyID, secretAccessKey, sessionToken, aws string // of S3; aws is the region
}

type credentialKey struct {
	key, variable string
	place         func(*credentials) *string
}

// The keys of a file with credentials, and the variables of the environment that stand in for them. Those of S3 are the
// names that all of its tools use, so that the file may be theirs.
var credentialKeys = []credentialKey{
	{"user", "RGCN_FLEET_USER", func(c *credentials) *string { return &c.user }},
	{"password", "RGCN_FLEET_PASSWORD", func(c *credentials) *string { return &c.password }},
	{"token", "RGCN_FLEET_TOKEN", func(c *credentials) *string { return &c.token }},
	{"aws_access_key_id", "AWS_ACCESS_KEY_ID", func(c *credentials) *string { return &c.accessKeyID }},
	{"aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", func(c *credentials) *string { return &c.secretAccessKey }},
	{"aws_session_token", "AWS_SESSION_TOKEN", func(c *credentials) *string { return &c.sessionToken }},
	{"region", "AWS_REGION", func(c *credentials) *string { return &c.aws }},
}

// defaultRegion is a second variable for the region, which counts after the first.
const defaultRegion = "AWS_DEFAULT_REGION"

// maxCredentials bounds the file.
const maxCredentials = 64 << 10

// readCredentials reads the file, or the environment where there is none. A file is read again for every Open and by
// nobody else.
func readCredentials(path string) (c credentials, err error) {
	if path == "" {
		for _, k := range credentialKeys {
			*k.place(&c) = secretfile.FromEnv(k.variable)
		}
		c.aws = cmp.Or(c.aws, secretfile.FromEnv(defaultRegion))
		return c, c.check("the environment")
	}
	b, err := secretfile.Read(path, maxCredentials)
	if err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	mine := true // in a file of AWS's tools the section [default] counts
	lines := bufio.NewScanner(bytes.NewReader(b))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if line[0] == '[' {
			mine = line == "[default]"
			continue
		}
		if !mine {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		i := slices.IndexFunc(credentialKeys, func(k credentialKey) bool { return k.key == key })
		switch {
		case !ok:
			// The line may be a password: it is not shown.
			return c, fmt.Errorf("%s: line %d: want KEY = VALUE", path, n)
		case i < 0 && strings.HasPrefix(key, "aws_"):
			continue // of AWS's tools
		case i < 0:
			return c, fmt.Errorf("%s: line %d: the key is none of user, password, token, aws_access_key_id, aws_secret_access_key, aws_session_token, region", path, n)
		}
		*credentialKeys[i].place(&c) = value
	}
	if err := lines.Err(); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	c.aws = cmp.Or(c.aws, secretfile.FromEnv("AWS_REGION"), secretfile.FromEnv(defaultRegion)) // AWS's tools keep it in another file
	return c, c.check(path)
}

func (c *credentials) check(where string) error {
	switch {
	case c.user == "" && c.password != "":
		return fmt.Errorf("%s has a password and no user", where)
	case c.user != "" && c.token != "":
		return fmt.Errorf("%s has a user and a token: want one of them", where)
	case strings.ContainsAny(c.token, " \t"):
		return fmt.Errorf("%s: the token holds a space", where)
	case (c.accessKeyID == "") != (c.secretAccessKey == ""):
		return fmt.Errorf("%s has one of aws_access_key_id and aws_secret_access_key: want both", where)
	}
	return nil
}

var errNoKeys = errors.New("there are no credentials: want aws_access_key_id and aws_secret_access_key in the file that fleet.credentials names, " +
	"or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment")
