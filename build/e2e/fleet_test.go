package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
)

// TestFleet has one Fluent Bit train and publish, and another one score by what is published: from its first record, and
// on when the trainer is gone, when somebody else's state lies in its place, and when none lies there.
func TestFleet(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	place := filepath.Join(dir, "published", "state.rgcn")
	if err := os.Mkdir(filepath.Dir(place), 0o755); err != nil {
		t.Fatal(err)
	}
	tool := func(args ...string) {
		t.Helper()
		if out, err := exec.Command(offlineTool, args...).CombinedOutput(); err != nil {
			t.Fatalf("rgcn %q: %v\n%s", args, err, out)
		}
	}
	key, forger := filepath.Join(dir, "fleet.key"), filepath.Join(dir, "forger.key")
	tool("keygen", key)
	tool("keygen", forger)

	all := write(t, dir, "all.log", sessions(t))
	trainer := start(t, "-c", pipeline(t, t.TempDir(), tail("ssh", all, "zeek_tsv_2012"), toFile("ssh", filepath.Join(dir, "trained")),
		filter("ssh", append([]string{"Publish", filepath.Dir(place), "Publish_Key", key, "Train_Interval", "1h"}, quick...)...)))
	trainer.untilLogged("published state ", 1)
	trainer.stop()

	input, out := write(t, dir, "ssh.log", sessions(t)), filepath.Join(dir, "out")
	agent := start(t, "-c", pipeline(t, dir, tail("ssh", input, "zeek_tsv_2012"), toFile("ssh", out),
		filter("ssh", "State_From", place, "State_Key", key+".pub", "State_Poll", "1s", "State_Dir", filepath.Join(dir, "state"))))
	agent.untilLines(out, samples.Rows)
	agent.wantLogged(": 1490 triplets up to ", " and 0 that only this filter has make 1490; ", "carried over: 0 sessions of 0 triplets that this filter saw since")

	tool("train", "-preset", "zeek", "-columns", samples.Columns, "-state", filepath.Join(dir, "forged"), "-set", "train_steps=10", "-set", "model_dim=16",
		"-publish", place, "-key", forger, all)
	agent.untilLogged("is refused: it is signed by the key ", 1)
	extend(t, input, sessions(t))
	agent.untilLines(out, 2*samples.Rows)
	if err := os.Remove(place); err != nil {
		t.Fatal(err)
	}
	agent.untilLogged("cannot be fetched: open "+place, 1)
	extend(t, input, sessions(t))
	agent.untilLines(out, 3*samples.Rows)
	agent.stop()

	records := lines(t, out)
	if len(records) != 3*samples.Rows {
		t.Errorf("%d records", len(records))
	}
	for i, record := range records {
		if _, score, _, _ := split(record); !numeric(score) {
			t.Fatalf("record %d: %s", i, record)
		}
	}
	for _, once := range []string{"is refused: ", "cannot be fetched: "} {
		if n := strings.Count(agent.log(), once); n != 1 {
			t.Errorf("%q is said %d times:\n%s", once, n, agent.log())
		}
	}

	// Started anew with nothing to follow: the state directory serves.
	again, more := filepath.Join(dir, "again"), filepath.Join(dir, "more")
	input = write(t, dir, "more.log", sessions(t))
	if err := os.Mkdir(more, 0o755); err != nil {
		t.Fatal(err)
	}
	agent = start(t, "-c", pipeline(t, more, tail("ssh", input, "zeek_tsv_2012"), toFile("ssh", again),
		filter("ssh", "State_From", place, "State_Key", key+".pub", "State_Dir", filepath.Join(dir, "state"))))
	agent.untilLines(again, samples.Rows)
	agent.stop()
	if _, score, _, _ := split(lines(t, again)[0]); !numeric(score) {
		t.Errorf("the first record after a restart: %s", lines(t, again)[0])
	}
}

// TestShippedFleet runs the files of conf/fleet as they are: a trainer that gets its sessions from another Fluent Bit, and
// an agent in either format.
func TestShippedFleet(t *testing.T) {
	t.Parallel()
	conf, err := filepath.Abs("../../conf")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if out, err := exec.Command(offlineTool, "keygen", filepath.Join(dir, "fleet.key")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	states := filepath.Join(dir, "states") + "/"
	if err := os.Mkdir(states, 0o755); err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(free.Addr().String())
	free.Close()
	const n = 2000
	var log strings.Builder
	for i := range n {
		h := i * 7919 % 30
		fmt.Fprintf(&log, `{"ts":%d.5,"id.orig_h":"host-%d","id.resp_h":"server-%d-%d","client":"c"}`+"\n", 1_795_000_000+i*60, h, h%3, i%11)
	}
	input := write(t, dir, "ssh.log", log.String())
	if err := lookAtInputs(); err != nil {
		t.Fatal(err)
	}
	shipped := func(file, state string) *process {
		return startCommand(t, "env", "RGCN_CONF="+conf, "RGCN_FLEET="+dir, "RGCN_STATES="+states, "RGCN_STATE="+filepath.Join(dir, state),
			"RGCN_LISTEN=127.0.0.1", "RGCN_PORT="+port, "SSH_LOG="+input, host, "-e", sharedObject, "-c", filepath.Join(conf, "fleet", file))
	}
	trainer := shipped("trainer.conf", "trainer")
	sender := start(t, "-c", pipeline(t, dir, tail("ssh", input, "zeek_json"),
		section("OUTPUT", "Name", "forward", "Match", "ssh", "Host", "127.0.0.1", "Port", port, "Retry_Limit", "no_limits")))
	trainer.untilLogged("published state ", 1)
	sender.stop()
	trainer.stop()
	for _, file := range []string{"agent.conf", "agent.yaml"} {
		agent := shipped(file, file)
		agent.untilLines(agent.stdout, n)
		agent.stop()
		for i, record := range lines(t, agent.stdout) {
			if !strings.Contains(record, `"score":0.`) && !strings.Contains(record, `"score":1`) {
				t.Fatalf("%s: record %d: %s", file, i, record)
			}
		}
	}
}
