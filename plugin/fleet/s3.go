package fleet

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// newS3 turns s3://BUCKET/KEY into the object's URL, and signs requests (AWS Signature Version 4).
func newS3(w *web, c credentials, a Access) (Place, error) {
	if c.accessKeyID == "" {
		return nil, errNoKeys
	}
	region := cmp.Or(a.S3Region, c.aws, "us-east-1")
	u, err := objectURL(w.url, a.S3Endpoint, region)
	if err != nil {
		return nil, err
	}
	if err := secret(u); err != nil {
		return nil, err
	}
	w.url = u
	w.explain = func(resp *http.Response, body []byte) *refusal { return explainS3(resp, body, region, time.Now()) }
	keys := aws.Credentials{AccessKeyID: c.accessKeyID, SecretAccessKey: c.secretAccessKey, SessionToken: c.sessionToken}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }) // S3 escapes once, others twice
	w.sign = func(r *http.Request, body []byte) error {
		sum := sha256.Sum256(body)
		digest := hex.EncodeToString(sum[:])
		r.Header.Set("X-Amz-Content-Sha256", digest)
		return signer.SignHTTP(r.Context(), keys, r, digest, "s3", region, time.Now())
	}
	return w, nil
}

// objectURL is where an object is. Amazon has a host for each bucket, unless its name would not fit a certificate; all
// other servers have one for all.
func objectURL(s3 *url.URL, endpoint, region string) (*url.URL, error) {
	bucket, key := s3.Host, strings.TrimPrefix(s3.Path, "/")
	u := &url.URL{Scheme: "https", Host: "s3." + region + ".amazonaws.com"}
	if strings.HasPrefix(region, "cn-") { // a part of Amazon's with a domain of its own
		u.Host += ".cn"
	}
	if endpoint != "" {
		var err error
		if u, err = url.Parse(endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
			return nil, fmt.Errorf("fleet.s3_endpoint is no URL of a server such as https://minio.example.com:9000")
		}
	}
	folders := strings.Split(strings.TrimSuffix(u.EscapedPath(), "/"), "/") // of a gateway: a %2F among them is no slash between two
	escaped := slices.Clone(folders)
	for i := range folders {
		folders[i], _ = url.PathUnescape(folders[i]) // it was parsed before
		escaped[i] = strings.ReplaceAll(escape(folders[i]), "/", "%2F")
	}
	if endpoint == "" && !strings.Contains(bucket, ".") {
		u.Host = bucket + "." + u.Host
	} else {
		key = bucket + "/" + key
	}
	u.Path = strings.Join(folders, "/") + "/" + key
	u.RawPath = strings.Join(escaped, "/") + "/" + escape(key)
	return u, nil
}

// escape escapes a path as the signature wants it: all but letters, digits, -._~ and slashes.
func escape(path string) string {
	var b strings.Builder
	for _, c := range []byte(path) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~/", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
