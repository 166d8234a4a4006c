package fleet

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"time"
)

// s3Refusal is what a server that speaks S3 says when it refuses a request.
type s3Refusal struct {
	XMLName xml.Name `xml:"Error"`
	Code    string   `xml:"Code"`
	Message string   `xml:"Message"`
}

// clocksDiffer is the difference of two clocks from which on it may be why a signature is refused: servers allow 15
// minutes.
const clocksDiffer = 5 * time.Minute

// explainS3 tells what a refusal means and what to do about it, nil where the answer is none of S3. The codes are those of
// Amazon's description, which other servers share. region is the one that the request was signed for.
func explainS3(resp *http.Response, body []byte, region string, now time.Time) *refusal {
	var r s3Refusal
	if xml.Unmarshal(body, &r) != nil || r.Code == "" {
		return nil
	}
	right, act := "s3:GetObject", "read it"
	if resp.Request.Method == http.MethodPut {
		right, act = "s3:PutObject", "write there"
	}
	host := resp.Request.URL.Host
	meaning := said(r.Message)
	switch r.Code {
	case "NoSuchBucket":
		meaning = fmt.Sprintf("%s has no such bucket: create it, or correct its name, fleet.s3_endpoint or fleet.s3_region", host)
	case "NoSuchKey":
		meaning = "nothing is published there yet, or it lies under another key"
	case "InvalidAccessKeyId":
		meaning = fmt.Sprintf("%s does not know this aws_access_key_id (see fleet.credentials)", host)
	case "SignatureDoesNotMatch":
		meaning = "aws_secret_access_key is not the one of this aws_access_key_id (see fleet.credentials)"
	case "ExpiredToken", "InvalidToken", "InvalidTokenId", "TokenRefreshRequired":
		meaning = "aws_session_token has expired, or is none of this server: want a new one, or none (see fleet.credentials)"
	case "AccessDenied", "AllAccessDisabled", "AccountProblem":
		meaning = fmt.Sprintf("whom aws_access_key_id stands for may not %s: want the right %s for it (see fleet.credentials)", act, right)
		if resp.Request.Method == http.MethodGet { // without s3:ListBucket nobody is told whether an object is there
			meaning += "; if it has the right, nothing is published there yet"
		}
	case "RequestTimeTooSkewed", "RequestExpired":
		meaning = "the clocks of this machine and of the server differ"
	case "AuthorizationHeaderMalformed", "InvalidRegion", "PermanentRedirect", "TemporaryRedirect":
		where := ""
		if r := resp.Header.Get("X-Amz-Bucket-Region"); r != "" {
			where = ", and the bucket is in " + r
		}
		meaning += fmt.Sprintf(" (it was signed for the region %s%s: see fleet.s3_region)", region, where)
	}
	if resp.StatusCode == http.StatusForbidden {
		meaning += clocks(resp, now)
	}
	return &refusal{text: said(r.Code) + ": " + meaning, missing: r.Code == "NoSuchKey"}
}

// clocks tells by how much this machine's clock and that of a server differ, if it is much: a signature holds for the
// time when it was made.
func clocks(resp *http.Response, now time.Time) string {
	server, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return ""
	}
	ahead := now.Sub(server)
	direction := "ahead of"
	if ahead < 0 {
		ahead, direction = -ahead, "behind"
	}
	if ahead < clocksDiffer {
		return ""
	}
	return fmt.Sprintf("; this machine's clock is %v %s the server's: set the wrong one right", ahead.Round(time.Second), direction)
}
