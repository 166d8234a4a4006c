package simulate

import (
	"encoding/json"
	"testing"
	"time"
)

func TestAppendNDJSON(t *testing.T) {
	s := Session{
		Time: time.UnixMicro(1772409600_000042), UID: "Cabc", Source: "10.20.0.9", Destination: "10.20.1.7", SourcePort: 40000,
		Client: "SSH-2.0-Go", Server: "SSH-2.0-OpenSSH_9.9", User: "u0001", AuthAttempts: 3,
	}
	const line = `{"ts":1772409600.000042,"uid":"Cabc","id.orig_h":"10.20.0.9","id.orig_p":40000,"id.resp_h":"10.20.1.7","id.resp_p":22,` +
		`"version":2,"auth_success":false,"auth_attempts":3,"client":"SSH-2.0-Go","server":"SSH-2.0-OpenSSH_9.9","user":"u0001"}` + "\n"
	if got := string(AppendNDJSON(nil, &s)); got != line {
		t.Errorf("got  %s\nwant %s", got, line)
	}
	s.Source, s.AuthSuccess, s.Label, s.Note = "172.16.0.1", true, LabelNewSource, "x"
	var m map[string]any
	if err := json.Unmarshal(AppendNDJSON([]byte(" "), &s), &m); err != nil {
		t.Fatal(err)
	}
	if m["direction"] != "INBOUND" || m["auth_success"] != true || m["label"] != "new_source" || m["note"] != "x" {
		t.Errorf("got %v", m)
	}
}

// TestNDJSONIsValid: no value of a whole run needs the escaping there is none of.
func TestNDJSONIsValid(t *testing.T) {
	for i, s := range generate(t, with(func(c *Config) { c.IntrudersOutside = true })) {
		line := AppendNDJSON(nil, &s)
		var m struct {
			TS     json.Number
			Client string
			User   string
		}
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatalf("session %d: %s: %v", i, line, err)
		}
		if m.Client != s.Client || m.User != s.User || len(m.TS) != len("1772409600.000042") {
			t.Fatalf("session %d: %s", i, line)
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	c := with(func(c *Config) { c.SessionsPerDay = 20_000 })
	b.ReportAllocs()
	records := 0
	var line []byte
	for b.Loop() {
		err := Generate(c, func(s *Session) bool {
			line = AppendNDJSON(line[:0], s)
			records++
			return true
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(records)/float64(b.N), "records/op")
}
