package fleet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestS3Refusals has answers as VersityGW 1.8.0, MinIO of 2026-02-12 and moto 5.2.5 gave them, and Amazon's of its
// description.
func TestS3Refusals(t *testing.T) {
	s, endpoint := serve(t)
	host := strings.TrimPrefix(endpoint, "http://")
	keys := credentialsFile(t, "aws_access_key_id = AKID\naws_secret_access_key = hidden\nregion = eu-central-1\n")
	p := openPlace(t, "s3://bucket/a", Access{Credentials: keys, S3Endpoint: endpoint})
	xml := func(code, message string) string {
		return `<?xml version="1.0" encoding="UTF-8"?>` + "\n<Error><Code>" + code + "</Code><Message>" + message +
			"</Message><AWSAccessKeyId>AKID</AWSAccessKeyId><RequestId>1</RequestId></Error>"
	}
	for _, c := range []struct {
		method  string
		status  int
		header  string // and its value
		body    string
		want    string
		missing bool
	}{
		{"GET", 404, "", xml("NoSuchKey", "The specified key does not exist."),
			"404 Not Found, NoSuchKey: nothing is published there yet, or it lies under another key", true},
		{"GET", 404, "", xml("NoSuchBucket", "The specified bucket does not exist."),
			"404 Not Found, NoSuchBucket: " + host + " has no such bucket: create it, or correct its name, fleet.s3_endpoint or fleet.s3_region", false},
		{"PUT", 404, "", xml("NoSuchBucket", "The specified bucket does not exist."), "has no such bucket", false},
		{"GET", 404, "", "<html>no such page</html>", "404 Not Found (nothing is published there yet, or it lies elsewhere)", true},
		{"PUT", 403, "", xml("SignatureDoesNotMatch", "Check your key and signing method."),
			"403 Forbidden, SignatureDoesNotMatch: aws_secret_access_key is not the one of this aws_access_key_id (see fleet.credentials)", false},
		{"PUT", 403, "", xml("InvalidAccessKeyId", "It does not exist in our records."),
			"InvalidAccessKeyId: " + host + " does not know this aws_access_key_id (see fleet.credentials)", false},
		{"PUT", 403, "", xml("AccessDenied", "Access Denied."), "may not write there: want the right s3:PutObject for it (see fleet.credentials)", false},
		{"GET", 403, "", xml("AccessDenied", "Access Denied."),
			"may not read it: want the right s3:GetObject for it (see fleet.credentials); if it has the right, nothing is published there yet", false},
		{"GET", 403, "", xml("InvalidTokenId", "The security token included in the request is invalid"), "aws_session_token has expired, or is none of this server", false},
		{"PUT", 400, "", xml("AuthorizationHeaderMalformed", "The authorization header is malformed; the region is wrong; expecting &#39;eu-west-1&#39;."),
			"the region is wrong; expecting 'eu-west-1'. (it was signed for the region eu-central-1: see fleet.s3_region)", false},
		{"PUT", 301, "X-Amz-Bucket-Region us-east-2", xml("PermanentRedirect", "Use another endpoint."),
			"PermanentRedirect: Use another endpoint. (it was signed for the region eu-central-1, and the bucket is in us-east-2: see fleet.s3_region)", false},
		{"GET", 403, "Date Fri, 27 Nov 2026 10:00:00 GMT", xml("RequestTimeTooSkewed", "The difference is too large."), "RequestTimeTooSkewed: the clocks of this machine and of the server differ; this machine's clock is ", false},
		{"PUT", 400, "", xml("XMinioInvalidObjectName", "Object name\x1b contains &#10;unsupported characters."), "400 Bad Request: <?xml version", false}, // which no reader of XML takes
		{"PUT", 400, "", xml("XMinioInvalidObjectName", "Object name contains &#10;unsupported characters."), "400 Bad Request, XMinioInvalidObjectName: Object name contains", false},
	} {
		s.set(func(w http.ResponseWriter, r *http.Request) bool {
			if name, value, ok := strings.Cut(c.header, " "); ok {
				w.Header().Set(name, value)
			}
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
			return true
		})
		var err error
		if c.method == "PUT" {
			err = p.Put(context.Background(), []byte("x"))
		} else {
			_, _, err = get(p, "")
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.ContainsAny(err.Error(), "\x1b\n") || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s %d %s:\n%v, want\n%q", c.method, c.status, c.body, err, c.want)
		}
		if errors.Is(err, fs.ErrNotExist) != c.missing {
			t.Errorf("%s %d %s: missing is %v", c.method, c.status, c.body, !c.missing)
		}
	}
}

func TestClocksOfARefusal(t *testing.T) {
	server := time.Date(2026, 11, 27, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		ahead time.Duration
		date  string
		want  string
	}{
		{2 * time.Hour, server.Format(http.TimeFormat), "; this machine's clock is 2h0m0s ahead of the server's: set the wrong one right"},
		{-16 * time.Minute, server.Format(http.TimeFormat), "; this machine's clock is 16m0s behind the server's: set the wrong one right"},
		{4 * time.Minute, server.Format(http.TimeFormat), ""},
		{-4 * time.Minute, server.Format(http.TimeFormat), ""},
		{2 * time.Hour, "", ""},
		{2 * time.Hour, "yesterday", ""},
	} {
		resp := &http.Response{Header: http.Header{"Date": {c.date}}}
		if got := clocks(resp, server.Add(c.ahead)); got != c.want {
			t.Errorf("%v, Date %q: %q, want %q", c.ahead, c.date, got, c.want)
		}
	}
}
