package doctor

import (
	"fmt"
	"path/filepath"

	"flb-filter-rgcn/plugin/doctor/hostconf"
)

// reload warns of what a hot reload of Fluent Bit 5.1 would not find: it looks for relative paths in the directory in
// which it runs, and no longer in that of its configuration.
func (e *examination) reload() {
	if e.conf == nil {
		return
	}
	hot := false
	for _, p := range e.conf.All(hostconf.Service, "hot_reload") {
		hot = on(p.Value)
	}
	relative := 0
	for _, key := range []string{"parsers_file", "plugins_file", "streams_file"} {
		for _, p := range e.conf.All(hostconf.Service, key) {
			if p.Value == "" || filepath.IsAbs(p.Value) {
				continue
			}
			relative++
			text := fmt.Sprintf("%s %s is relative: on a reload (SIGHUP) Fluent Bit 5.1 looks for it in the directory in which it runs", key, p.Value)
			fix := "write it absolute: " + filepath.Join(filepath.Dir(e.conf.Path), p.Value)
			if hot {
				e.findings.add(Warning, TopicReload, p.At.String(), text+", and refuses the reload where it is not there", fix)
			} else {
				e.findings.add(OK, TopicReload, p.At.String(), text+"; reloads are off here, but for -Y", "")
			}
		}
	}
	if hot && relative == 0 {
		e.findings.add(OK, TopicReload, e.conf.Path, "hot reload is on, and the files of parsers and plugins are named by absolute paths", "")
	}
}

// tailWithoutMemory warns if, of tail and the filter, only one keeps its state over a restart.
func (e *examination) tailWithoutMemory() {
	if e.conf == nil {
		return
	}
	for _, p := range e.targets {
		if !p.valid {
			continue
		}
		for _, s := range e.feeding(p) {
			if !s.Is("tail") {
				continue
			}
			db := s.Value("db") != ""
			switch {
			case p.config.State.Dir != "" && !db && on(s.Value("read_from_head")):
				e.findings.add(Warning, TopicConfiguration, s.At.String(), "this input reads its files from their head at each start, and "+p.name+" keeps what it learned: each start counts the sessions again",
					"add DB and the path of a file for tail to remember where it was, in a directory that stays")
			case p.config.State.Dir == "" && db:
				e.findings.add(Warning, TopicConfiguration, s.At.String(), "this input remembers where it was, and "+p.name+" forgets at exit: what was read before is never learned again",
					"add State_Dir and a directory that stays")
			}
		}
	}
}
