package logfile

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"
)

// TestRoundTrip: NDJSON to msgpack and back gives the same text.
func TestRoundTrip(t *testing.T) {
	for _, line := range []string{
		`{"b":1,"a":-7,"a":18446744073709551615}`,
		`{"ts":1331901011.840001,"whole":1.0,"small":1e-09,"big":1e+30}`,
		`{"id.orig_h":"10.0.0.1","n":{"x":[true,false,null,{}],"y":[]},"":""}`,
		`{"s":"<a href=\"x\">&\\ é 😀 \u0000\u001f\t\n\r"}`,
		`{"a":[` + strings.Repeat("1,", 15) + `1]}`, // 16, beyond a fixarray
		`{"a":[` + strings.Repeat("1,", 65535) + `1],"b":2}`,
		`{"m":{` + strings.Repeat(`"k":[],`, 65535) + `"k":{}},"b":2}`,
	} {
		event := readGood(t, write(t, "x", line), testOptions())[0]
		if got := strings.TrimSpace(toJSON(t, event)); got != line {
			t.Errorf("got  %.200s\nwant %.200s", got, line)
		}
	}
	logs, _ := zeekLogs(t)
	for _, log := range logs {
		for _, event := range readGood(t, log, testOptions()) {
			line := toJSON(t, event)
			again := readGood(t, write(t, "x", line), testOptions())[0]
			if string(again) != string(event) {
				t.Errorf("%s is read back as\n% x, was\n% x", line, again, event)
			}
		}
	}
}

func TestAppendJSONValues(t *testing.T) {
	check := func(value []byte, want string) {
		t.Helper()
		for _, head := range []string{"\x92\x92\x01\x80", "\x92\x01"} { // today's header and the legacy one
			event := append([]byte(head+"\x81\xa1k"), value...)
			if got := toJSON(t, event); got != `{"k":`+want+"}\n" || !json.Valid([]byte(got)) {
				t.Errorf("% x: got %s, want %s", value, got, want)
			}
		}
	}
	check(msgp.AppendFloat64(nil, math.NaN()), "null")
	check(msgp.AppendFloat64(nil, math.Inf(-1)), "null")
	check(msgp.AppendFloat32(nil, 0.1), "0.1")
	check(msgp.AppendFloat64(nil, 1e300), "1e+300")
	check(msgp.AppendFloat64(nil, math.Copysign(0, -1)), "-0.0")
	check(msgp.AppendInt64(nil, math.MinInt64), "-9223372036854775808")
	check(msgp.AppendInt64(nil, 300), "300") // a signed code, as other encoders write it
	check(msgp.AppendBytes(nil, []byte("bin\x01")), `"bin\u0001"`)
	check(msgp.AppendString(nil, "a\xffb\xc3"), "\"a\ufffdb\ufffd\"")
	check(msgp.AppendString(nil, "\ufffd\u2028\x7f"), "\"\ufffd\u2028\x7f\"")
	check([]byte("\xd4\x05\xab"), `"d405ab"`)
	check([]byte("\x84\x01\x02\xc0\x03\xc3\x04\x91\xa1x\x05"), `{"1":2,"null":3,"true":4,"[\"x\"]":5}`)
}

func TestAppendJSONErrors(t *testing.T) {
	for event, want := range map[string]string{
		"":                             "few bytes",
		"\x93\x01\x80\x80":             "array of 3",
		"\x92\x01\x05":                 "body is not a map",
		"\x92\x01\x81\xa1k":            "few bytes",
		"\x92\x01\x81\xa1k\xa5xx":      "few bytes",
		"\x92\x01\xdf\xff\xff\xff\xff": "few bytes",
		"\x92\x01\x80\x80":             "1 bytes after the body",
		"\x92\x01\x81\xa1k" + strings.Repeat("\x91", maxDepth+1) + "\x01": "nested deeper than the 512 levels allowed",
	} {
		dst, err := AppendJSON([]byte("keep"), []byte(event))
		if err == nil || !strings.Contains(err.Error(), want) || string(dst) != "keep" {
			t.Errorf("%q: got %q, %v; want an error with %q", event, dst, err, want)
		}
	}
}
