package config

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFleet(t *testing.T) {
	type props = map[string]string
	c, err := load(t, "", props{"state_from": "https://host/x", "state_key": "/etc/k.pub", "state_poll": "5m", "fleet_ca_file": "/etc/ca.pem"})
	if err != nil || c.Train.Interval != 0 || c.State.Poll != 5*time.Minute || c.State.From != "https://host/x" || c.Fleet.CAFile != "/etc/ca.pem" {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err = load(t, "", props{"state_from": "https://host/x", "state_unsigned": "on", "train_interval": "0"}); err != nil || !c.State.Unsigned {
		t.Errorf("%v", err)
	}
	if c, err = load(t, "", props{"publish": "states/", "publish_key": "k"}); err != nil || !filepath.IsAbs(c.Publish.To) || !strings.HasSuffix(c.Publish.To, "/states/") ||
		!filepath.IsAbs(c.Publish.Key) || c.Train.Interval == 0 {
		t.Errorf("%+v, %v", c, err)
	}
	c, err = load(t, "", props{"publish": "https://host/x?sig=hidden", "publish_unsigned": "yes"})
	if s := c.Summary(); err != nil || strings.Contains(s, "hidden") || !strings.Contains(s, "publish=https://host/x ") || c.Publish.To != "https://host/x?sig=hidden" {
		t.Errorf("%s, %v", s, err)
	}
	for want, p := range map[string]props{
		"property state_from = \"/x\": want state.key":                 {"state_from": "/x"},
		"property state_key = \"/k\": state.from is empty":             {"state_key": "/k"},
		"property state_unsigned = true: state.from is empty":          {"state_unsigned": "on"},
		"property publish = \"/x\": want publish_key":                  {"publish": "/x"},
		"property publish_key = \"/k\": publish is empty":              {"publish_key": "/k"},
		"property publish_unsigned = true: publish_key would sign":     {"publish": "/x", "publish_key": "/k", "publish_unsigned": "on"},
		"property publish = \"/y\": a filter with state.from does not": {"state_from": "/x", "state_key": "/k", "publish": "/y", "publish_key": "/k"},
		"property train_interval = 10m: a filter with state.from":      {"state_from": "/x", "state_key": "/k", "train_interval": "10m"},
		"property train_hold = 7d: a filter with state.from":           {"state_from": "/x", "state_key": "/k", "train_hold": "7d"},
		"property state_from: it holds a user or a password":           {"state_from": "https://a:secret@host/x", "state_key": "/k"},
		"property publish: the scheme \"ftp\" is none of":              {"publish": "ftp://host/secret", "publish_key": "/k"},
		"property state_poll = \"0.5s\": want a duration":              {"state_poll": "0.5s"},
	} {
		if _, err := load(t, "", p); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v: %v, want %q", p, err, want)
		}
	}
}

// A password that somebody has written into an address is shown by no error and no summary, whatever else is wrong there.
func TestPasswordsInAddresses(t *testing.T) {
	const address = "https://elastic:geheim@search.example:9200/logs"
	for text, want := range map[string]string{
		"[graph]\nsource = " + address:                   `f:2: "source = ...": expected value but found "https" instead; want key = value`,
		"[graph]\nsource = \"" + address + "\nx = 1":     `f:2: "source = ...": strings cannot contain newlines; want key = value`,
		"graph.source \"" + address + "\"":               `f:1: "...": expected '.' or '=', but got`,
		"[graph]\nsource = [\"" + address + "\"]":        `f:2: graph.source = ["..."]: want the address of an index`,
		"[state]\nfrom = [\"" + address + "\", 1]":       `f:2: state.from = ["...", 1]: want the path of a directory`,
		"[fleet]\ns3_endpoint = [[\"" + address + "\"]]": `f:2: fleet.s3_endpoint = [["..."]]: want a URL`,
	} {
		if _, err := load(t, text, nil); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	for _, endpoint := range []string{"https://minio:geheim@s3.example", "https://minio:geheim%@s3.example"} {
		for _, to := range []string{"s3://bucket/x", "/srv/states/"} { // used, or without effect
			c, err := load(t, "", map[string]string{"publish": to, "publish_unsigned": "on", "fleet_s3_endpoint": endpoint})
			text := c.Summary()
			for _, idle := range c.NoEffect {
				text += " " + idle.Text()
			}
			if err != nil || strings.Contains(text, "geheim") || !strings.Contains(text, "fleet_s3_endpoint=https://...@s3.example") {
				t.Errorf("%s: %s, %v", to, text, err)
			}
			if c.Fleet.S3Endpoint != endpoint {
				t.Errorf("the setting is %q, want it as it was given", c.Fleet.S3Endpoint)
			}
		}
	}
}

// Of two places that are wrong the same one is told of each time.
func TestTheFirstPlaceThatIsWrong(t *testing.T) {
	for range 50 {
		_, err := load(t, "", map[string]string{"state_from": "ftp://host/x", "publish": "ftp://host/y"})
		if want := "property state_from: the scheme"; err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("%v, want %q", err, want)
		}
	}
}
