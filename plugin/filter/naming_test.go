package filter

import (
	"context"
	"strings"
	"testing"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/fleet"
)

// settings are those of these properties.
func settings(t *testing.T, properties ...string) config.Config {
	t.Helper()
	c, err := config.Load(host(properties...).Property)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNamingDiffers(t *testing.T) {
	const nothing = "scores mean nothing"
	trainer := naming(settings(t))
	for what, c := range map[string]struct {
		properties []string
		want       []string
	}{
		"alike":                 {nil, nil},
		"other records, though": {[]string{"only", "event=ssh"}, nil},
		"source and destination exchanged": {[]string{"source", "id.resp_h", "destination", "id.orig_h"}, []string{
			"the trainer takes the source from id.orig_h else id_orig_h, this filter from id.resp_h; ",
			"the trainer takes the destination from id.resp_h else id_resp_h, this filter from id.orig_h: ", nothing}},
		"another relation":  {[]string{"relation", "user"}, []string{"the trainer takes the relation from client, this filter from user: ", nothing}},
		"a user and a host": {[]string{"source", "user,id.orig_h"}, []string{"this filter from user | id.orig_h: ", nothing}},
		"under a map":       {[]string{"under", "ssh"}, []string{"this filter from client, under ssh: "}},
		"sshd's lines":      {[]string{"preset", "openssh"}, []string{"this filter from sshd's message; "}},
		"ports":             {[]string{"cut_ports", "off"}, []string{"the trainer has the ports behind hosts cut, this filter has them kept: ", nothing}},
		"the case": {[]string{"preset", "custom", "source", "id.orig_h", "destination", "id.resp_h"},
			[]string{"the trainer has the case of host names folded, this filter has it kept", "this filter from no field"}},
		"prefixes": {[]string{"model_prefixes", "off"}, []string{"the trainer has model.prefixes used, this filter has it not used: scores mean little"}},
	} {
		got := NamingDiffers(trainer, settings(t, c.properties...))
		if (got == "") != (c.want == nil) {
			t.Errorf("%s: %q", what, got)
		}
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q lacks %q", what, got, want)
			}
		}
	}
	if got := NamingDiffers("", settings(t)); !strings.Contains(got, "the trainer takes the source from what it does not say, this filter from id.orig_h") {
		t.Errorf("of a state that says nothing: %q", got)
	}
	if got := NamingDiffers("source = a\u202eb"+strings.Repeat("c", 10000), settings(t)); len(got) > 2000 || strings.Contains(got, "\u202e") {
		t.Errorf("%d bytes: %.200q", len(got), got)
	}
}

// An agent with other fields than its trainer takes its states, and says so: once in the log, and in its status as long
// as it is so, over a restart, too.
func TestAnAgentThatNamesHostsOtherwise(t *testing.T) {
	s := newFleet(t)
	dir := t.TempDir()
	const want = "published state: the trainer takes the relation from client, this filter from user: if the two do not name the same hosts and relations, scores mean nothing"
	f, h := s.agent("relation", "user", "state_dir", dir)
	s.publish()
	f.follower.look(context.Background())
	if st := f.Status(); st.State != StateScoring || st.Problem != want || st.Published.Taken != 2 || strings.Count(h.log(), want) != 1 {
		t.Errorf("%s: %q, %+v\n%s", st.State, st.Problem, st.Published, h.log())
	}
	f.Close()
	f, h = s.agent("relation", "user", "state_dir", dir)
	if st := f.Status(); st.Problem != want || strings.Count(h.log(), want) != 1 {
		t.Errorf("after a restart: %q\n%s", st.Problem, h.log())
	}
	f.Close()
	// With the trainer's fields all is well again.
	f, h = s.agent("state_dir", dir)
	defer f.Close()
	if st := f.Status(); st.Problem != "" || strings.Contains(h.log(), "the trainer takes") {
		t.Errorf("%q\n%s", st.Problem, h.log())
	}
}

func TestFieldsThatNoPublishedStateHolds(t *testing.T) {
	s := newFleet(t)
	h := host("publish", s.place, "publish_key", s.key, "relation", strings.Repeat("x", fleet.MaxNaming))
	if _, err := newInstance(h, forLive, machineClock()); err == nil || !strings.Contains(err.Error(), "a published state holds 16384 of them") {
		t.Errorf("%v", err)
	}
}

// What a state directory holds under other names than those of the settings is used, with a warning where it is started,
// looked at and examined.
func TestAStateOfOtherNames(t *testing.T) {
	dir := t.TempDir()
	run := func(properties ...string) (*Instance, string) {
		t.Helper()
		h := host(append([]string{"state_dir", dir}, properties...)...)
		f := offline(t, h)
		f.Process(nil, join(sessions(100)))
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		return f, h.log()
	}
	run()
	if f, log := run(); strings.Contains(log, "other settings") || f.OtherNaming() != "" {
		t.Error(log)
	}
	const want = "what the state directory holds was learned with other settings: the filter before takes the relation from client, this filter from client | auth_success: "
	frozen, err := NewFrozen(host("state_dir", dir, "relation", "client,auth_success"))
	if err != nil {
		t.Fatal(err)
	}
	frozen.Close()
	if !strings.HasPrefix(frozen.OtherNaming(), want) {
		t.Errorf("%q", frozen.OtherNaming())
	}
	f, log := run("relation", "client,auth_success")
	if _, problem := f.condition(); strings.Count(log, want) != 1 || !strings.Contains(f.OtherNaming(), want) || !strings.Contains(log, OtherNamingRemedy) {
		t.Errorf("%s\n%s", problem, log)
	}
	if _, log := run("relation", "client,auth_success"); strings.Contains(log, want) {
		t.Error(log)
	}
	saved, err := LookAt(dir)
	if err != nil || !strings.HasPrefix(SavedNamingDiffers(saved.Naming, settings(t)), "what the state directory holds") {
		t.Errorf("%+v, %v", saved, err)
	}
}
