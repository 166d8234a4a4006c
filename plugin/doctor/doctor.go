// Package doctor examines a setup before or while it runs: a configuration of Fluent Bit with the filter in it, a sample
// of the log, the machine. It reports findings, each with a remedy.
//
// It owns what is checked and the wording of findings. Other packages tell it what a setting means, what a record is and
// how much memory a training needs. It changes nothing: no directory is made, no file written, nothing is learned. Over
// the network it reaches only what the user has named. It runs nothing but Fluent Bit, for its version and its own check of a
// configuration, and the system's loader, once with a program that does nothing and the shared object in it.
package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"os"

	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/doctor/hostconf"
	"flb-filter-rgcn/plugin/filter"
)

// Options say what to examine. The zero value examines the machine alone.
type Options struct {
	Conf       string            // path of Fluent Bit's configuration, "": none
	Set        map[string]string // properties over those of the configuration's sections; without a configuration, all there are
	Samples    []string          // files of the user's log
	Columns    []string          // of tab-separated samples without a header
	Plugin     string            // path of the shared object; "": as the configuration names it, else where it usually lies
	FluentBit  string            // path of Fluent Bit, "": on the PATH or where its packages put it, "none": not to be run
	Elastic    string            // URL of a search server beside those of the configuration, with user and password if it has them
	ElasticKey string            // user:password for it, "": those of the URL
	Offline    bool              // reach nothing over the network, the filter's own port included

	Getenv func(string) (string, bool) // nil: os.LookupEnv
}

// Examine makes all findings. An error means that a file that the options name cannot be read at all.
func Examine(ctx context.Context, o Options) (Findings, error) {
	if o.Getenv == nil {
		o.Getenv = os.LookupEnv
	}
	e := &examination{Options: o, machine: os.DirFS("/")}
	if err := e.readConfiguration(); err != nil {
		return nil, err
	}
	e.settings()
	e.routes()
	e.parsers()
	e.reload()
	e.tailWithoutMemory()
	e.plugin(ctx)
	if err := e.samples(); err != nil {
		return nil, err
	}
	e.states()
	e.fleet(ctx)
	e.devices()
	e.memory()
	e.ports(ctx)
	e.elastic(ctx)
	e.sources(ctx)
	return e.findings, nil
}

// examination is one under way.
type examination struct {
	Options
	machine  fs.FS
	conf     *hostconf.Config // nil: none
	targets  []*target
	findings Findings
}

// target is one filter to examine: a section of the configuration, a processor of an input, or the options alone.
type target struct {
	section    *hostconf.Section // nil: the options alone
	properties properties
	name       string        // as Fluent Bit calls it, for people
	config     config.Config // where valid
	features   model.HostFeatures
	valid      bool

	saved     *filter.Saved     // what its state directory holds; nil: there is none, or it cannot be read
	running   bool              // a process has that directory
	holder    int               // its number, 0 where that is not known
	published *filter.Published // the state that it would take; nil: none
}

// at is the file and line of the target's section, "" without one.
func (p *target) at() string {
	if p.section == nil {
		return ""
	}
	return p.section.At.String()
}

// where is the file and line of one of its properties, as far as known.
func (p *target) where(key string) string {
	if p.section != nil {
		if x, ok := p.section.Get(key); ok {
			return x.At.String()
		}
	}
	return p.at()
}

// readConfiguration reads Fluent Bit's configuration and finds the filters in it.
func (e *examination) readConfiguration() error {
	if e.Conf == "" {
		e.targets = []*target{{properties: newProperties(nil, e.Set, ""), name: "the filter"}}
		return nil
	}
	conf, err := hostconf.Read(e.Conf, e.Getenv)
	if conf == nil {
		if mistake, ok := err.(*hostconf.Error); ok {
			e.findings.add(Problem, TopicConfiguration, mistake.At.String(), mistake.Text, "correct the line; nothing else of the configuration was looked at")
			return nil
		}
		return fmt.Errorf("%s: %w", e.Conf, err)
	}
	e.conf = conf
	if err != nil { // of a file that the service names
		at, text := "", err.Error()
		if mistake, ok := err.(*hostconf.Error); ok {
			at, text = mistake.At.String(), mistake.Text
		}
		e.findings.add(Problem, TopicConfiguration, at, text, "correct the path: a relative one begins in the directory of "+conf.Path)
	}
	e.unsetVariables()
	for _, s := range conf.Of(hostconf.Filter) {
		e.addTarget(s)
	}
	for _, kind := range []string{hostconf.Input, hostconf.Output} {
		for _, s := range conf.Of(kind) {
			for _, p := range s.Processors {
				e.addTarget(p)
			}
		}
	}
	if len(e.targets) == 0 {
		e.findings.add(Problem, TopicConfiguration, conf.Path, "has no filter rgcn", "add a section: [FILTER], Name rgcn, Match and the tag of your input (conf/fluent-bit.conf)")
		return nil
	}
	text := counted(len(conf.Files), "file") + " read, " + counted(len(e.targets), "filter") + " rgcn"
	e.findings.add(OK, TopicConfiguration, conf.Path, text, "")
	return nil
}

// addTarget adds a section to the targets if it is an rgcn filter.
func (e *examination) addTarget(s *hostconf.Section) {
	if !s.Is("rgcn") {
		return
	}
	name := s.Value("alias")
	if name == "" {
		name = fmt.Sprintf("rgcn.%d", len(e.targets))
	}
	if !s.Active() {
		e.findings.add(Warning, TopicConfiguration, s.At.String(), "the filter "+name+" is not active", "remove Active, or set it to true")
		return
	}
	e.targets = append(e.targets, &target{section: s, name: name, properties: newProperties(s, e.Set, e.conf.Path)})
}

// unsetVariables warns about variables without a value.
func (e *examination) unsetVariables() {
	said := map[string]bool{}
	for _, use := range e.conf.Unset {
		if said[use.Variable] {
			continue
		}
		said[use.Variable] = true
		e.findings.add(Warning, TopicConfiguration, use.At.String(),
			fmt.Sprintf("the variable ${%s} has no value here, so nothing stands in its place", use.Variable),
			fmt.Sprintf("run rgcn doctor with the environment of Fluent Bit (its unit, its container), or write ${%s:-a default}", use.Variable))
	}
}

// counted formats a number with the noun that it counts.
func counted(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
