package fleet

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"testing"
)

func keysOf(keys ...ed25519.PublicKey) []ed25519.PublicKey { return keys }

// signature is AWS Signature Version 4 as its description has it, of a request that a server got.
func signature(r *http.Request, secret string) (string, error) {
	auth := strings.TrimPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	fields := map[string]string{}
	for part := range strings.SplitSeq(auth, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[key] = value
	}
	scope := strings.SplitN(fields["Credential"], "/", 2)
	if len(scope) != 2 {
		return "", fmt.Errorf("no credential in %q", auth)
	}
	signed := strings.Split(fields["SignedHeaders"], ";")
	if !sort.StringsAreSorted(signed) {
		return "", fmt.Errorf("headers in disorder: %v", signed)
	}
	var headers strings.Builder
	for _, name := range signed {
		value := r.Header.Get(name)
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = fmt.Sprint(r.ContentLength)
		}
		fmt.Fprintf(&headers, "%s:%s\n", name, value)
	}
	canonical := strings.Join([]string{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, headers.String(), fields["SignedHeaders"],
		r.Header.Get("X-Amz-Content-Sha256")}, "\n")
	sum := sha256.Sum256([]byte(canonical))
	text := strings.Join([]string{"AWS4-HMAC-SHA256", r.Header.Get("X-Amz-Date"), scope[1], hex.EncodeToString(sum[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range append(strings.Split(scope[1], "/"), text) {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(part))
		key = h.Sum(nil)
	}
	if got, want := fields["Signature"], hex.EncodeToString(key); got != want {
		return "", fmt.Errorf("signature %s, want %s over\n%s", got, want, canonical)
	}
	return fields["Credential"], nil
}

func TestS3(t *testing.T) {
	const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	s, endpoint := serve(t)
	var credential string
	var failed error
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		credential, failed = signature(r, secret)
		if failed != nil {
			http.Error(w, "SignatureDoesNotMatch", http.StatusForbidden)
		}
		return failed != nil
	}
	file := credentialsFile(t, "[other]\naws_access_key_id = X\naws_secret_access_key = Y\n[default]\naws_access_key_id = AKID\naws_secret_access_key = "+
		secret+"\naws_session_token = session\nregion = eu-central-1\naws_unknown_setting = 1\n")
	for _, key := range []string{"state", "fleet/", "a b/c+d=e/ü.rgcn"} {
		p := openPlace(t, "s3://bucket/"+key, Access{Credentials: file, S3Endpoint: endpoint})
		if err := p.Put(context.Background(), []byte("content")); err != nil {
			t.Fatalf("%s: %v; %v", key, err, failed)
		}
		content, tag, err := get(p, "")
		if err != nil || content != "content" {
			t.Errorf("%s: %q, %v", key, content, err)
		}
		if _, _, err := get(p, tag); !errors.Is(err, ErrNotModified) {
			t.Errorf("%s: asked again: %v", key, err)
		}
		if !strings.HasPrefix(credential, "AKID/") || !strings.HasSuffix(credential, "/eu-central-1/s3/aws4_request") {
			t.Errorf("%s: signed for %s", key, credential)
		}
	}
	if err := openPlace(t, "s3://bucket/large", Access{Credentials: file, S3Endpoint: endpoint}).Put(context.Background(), make([]byte, 2*mostUnasked)); err != nil {
		t.Errorf("large: %v; %v", err, failed)
	}
	for _, want := range []string{"/bucket/large", "/bucket/state", "/bucket/fleet/state.rgcn", "/bucket/a b/c+d=e/ü.rgcn"} {
		if s.files[want] == nil {
			t.Errorf("nothing at %s", want)
		}
	}
	wrong := credentialsFile(t, "aws_access_key_id = AKID\naws_secret_access_key = wrong")
	if err := openPlace(t, "s3://bucket/x", Access{Credentials: wrong, S3Endpoint: endpoint}).Put(context.Background(), []byte("x")); err == nil ||
		!strings.Contains(err.Error(), "403 Forbidden (see fleet.credentials): SignatureDoesNotMatch") {
		t.Errorf("with a wrong key: %v", err)
	}
}

// A file of credentials as AWS's tools write it names no region: that of the environment counts, unless the file has one.
func TestRegion(t *testing.T) {
	s, endpoint := serve(t)
	var authorization string
	s.before = func(_ http.ResponseWriter, r *http.Request) bool {
		authorization = r.Header.Get("Authorization")
		return false
	}
	const keys = "aws_access_key_id = AKID\naws_secret_access_key = secret\n"
	for _, c := range []struct{ file, setting, region, fallback, want string }{
		{keys, "", "", "", "us-east-1"},
		{keys, "", "eu-central-1", "eu-west-1", "eu-central-1"},
		{keys, "", "", "eu-west-1", "eu-west-1"},
		{keys + "region = eu-north-1\n", "", "eu-central-1", "", "eu-north-1"},
		{keys + "region = eu-north-1\n", "ap-south-1", "eu-central-1", "", "ap-south-1"},
	} {
		t.Setenv("AWS_REGION", c.region)
		t.Setenv("AWS_DEFAULT_REGION", c.fallback)
		p := openPlace(t, "s3://bucket/x", Access{Credentials: credentialsFile(t, c.file), S3Endpoint: endpoint, S3Region: c.setting})
		if err := p.Put(t.Context(), []byte("x")); err != nil || !strings.Contains(authorization, "/"+c.want+"/s3/aws4_request") {
			t.Errorf("%+v: signed as %s, %v", c, authorization, err)
		}
	}
}

func TestObjectURL(t *testing.T) {
	for _, c := range []struct{ s3, endpoint, want string }{
		{"s3://bucket/a/b", "", "https://bucket.s3.eu-west-1.amazonaws.com/a/b"},
		{"s3://a.bucket/b", "", "https://s3.eu-west-1.amazonaws.com/a.bucket/b"},
		{"s3://bucket/a+b", "https://minio.example.com:9000/", "https://minio.example.com:9000/bucket/a%2Bb"},
		{"s3://bucket/b", "https://gateway/s3", "https://gateway/s3/bucket/b"},
		{"s3://bucket/b", "https://gateway/a%2Fb/c+d%20e/", "https://gateway/a%2Fb/c%2Bd%20e/bucket/b"},
		{"s3://bucket/a%2Fb", "https://gateway/a%2f", "https://gateway/a%2F/bucket/a/b"},
		{"s3://bucket/b", "gateway:9000", ""},
		{"s3://bucket/b", "https://me:pw@gateway", ""},
	} {
		u, err := url.Parse(c.s3)
		if err != nil {
			t.Fatal(err)
		}
		got, err := objectURL(u, c.endpoint, "eu-west-1")
		if c.want == "" {
			if err == nil || !strings.Contains(err.Error(), "fleet.s3_endpoint is no URL") || strings.Contains(err.Error(), "pw") {
				t.Errorf("%+v: %v", c, err)
			}
		} else if err != nil || got.String() != c.want {
			t.Errorf("%+v: %v, %v", c, got, err)
		}
	}
	if u, err := objectURL(&url.URL{Scheme: "s3", Host: "bucket", Path: "/a"}, "", "cn-north-1"); err != nil || u.String() != "https://bucket.s3.cn-north-1.amazonaws.com.cn/a" {
		t.Errorf("in China: %v, %v", u, err)
	}
	if _, err := Open("s3://bucket/x", Access{Credentials: credentialsFile(t, "")}); !errors.Is(err, errNoKeys) {
		t.Errorf("without keys: %v", err)
	}
	if _, err := Open("s3://bucket/x", Access{Credentials: credentialsFile(t, "aws_access_key_id=a\naws_secret_access_key=b"), S3Endpoint: "http://192.0.2.1"}); err == nil || !strings.Contains(err.Error(), "want https") {
		t.Errorf("in the clear: %v", err)
	}
}
