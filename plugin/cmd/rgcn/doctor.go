package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"flb-filter-rgcn/plugin/doctor"
	"flb-filter-rgcn/plugin/elastic"
	"flb-filter-rgcn/plugin/secretfile"
)

var doctorCommand = command{
	name:    "doctor",
	args:    "[-c FLUENT-BIT.CONF] [LOG...]",
	summary: "Examine a configuration of Fluent Bit, a sample of your log and this machine, and tell what to do.",
	more: "Give it what you have: the file that Fluent Bit is started with, some hundred lines of the log, or both. It reads included files and replaces variables by\n" +
		"this environment's, sends the sample through the input's parser and the filter, and looks at the shared object, state directory, memory, GPU, port and\n" +
		"search servers that the configuration names. It writes nothing. Fluent Bit itself is asked with --dry-run. Run it as the user of Fluent Bit, with its\n" +
		"environment. The flags that set properties count over those of the configuration: try a fix with them. -q leaves out what is ok.\n\n" +
		"The exit status is 0 without problems, 1 with, 2 for wrong use.",
	example: "rgcn doctor -c /etc/fluent-bit/fluent-bit.conf /opt/zeek/logs/current/ssh.log",
	setup: func(fs *flag.FlagSet) func(context.Context, *env) error {
		var o doctor.Options
		settings := settings{}
		settings.declare(fs)
		fs.StringVar(&o.Conf, "c", "", "`FILE`, classic or YAML, that Fluent Bit is started with")
		fs.StringVar(&o.Plugin, "plugin", "", "`FILE` of the filter, flb-filter_rgcn.so; without, as the configuration names it, or where it usually lies")
		fs.StringVar(&o.FluentBit, "fluent-bit", "", "`PROGRAM` to ask with --dry-run, none for not to; without, as it is on the PATH or in /opt/fluent-bit/bin")
		fs.StringVar(&o.Elastic, "elasticsearch", "", "`URL` of a search server to ask beside those of the configuration; ES_AUTH=user:password in the environment")
		fs.BoolVar(&o.Offline, "offline", false, "reach nothing over the network: neither search servers nor the filter's own port")
		asJSON := fs.Bool("json", false, "as JSON")
		columns := fs.String("columns", "", "`NAMES` of the columns, with commas between, of tab-separated logs without a header; \"-\" skips one")
		return func(ctx context.Context, e *env) (err error) {
			o.Samples, o.ElasticKey = e.args, secretfile.FromEnv(elastic.EnvUser)
			if o.Conf == "" && len(o.Samples) == 0 && len(settings) == 0 {
				return usagef("nothing to examine: want -c FILE, a LOG, or both")
			}
			if ending := filepath.Ext(settings["config_file"]); slices.Contains([]string{".conf", ".yaml", ".yml"}, ending) {
				return usagef("-config %s: is for the filter's own TOML file; want -c for the configuration of Fluent Bit", settings["config_file"])
			}
			if o.Set, err = settings.absolute(); err != nil {
				return err
			}
			if *columns != "" {
				o.Columns = strings.Split(*columns, ",")
			}
			findings, err := examine(ctx, o)
			if ctx.Err() != nil { // what was found of late tells of the interruption
				return ctx.Err()
			}
			if err != nil {
				return usageError{err} // a file that the command line names does not exist
			}
			if e.quiet {
				findings = slices.DeleteFunc(findings, func(f doctor.Finding) bool { return f.Level == doctor.OK })
			}
			if *asJSON {
				j := json.NewEncoder(e.stdout)
				j.SetIndent("", "  ")
				err = j.Encode(findings)
			} else {
				err = findings.Print(e.stdout)
			}
			if problems := findings.Count(doctor.Problem); err == nil && problems > 0 {
				err = errors.New(count(problems, "problem") + ", " + count(findings.Count(doctor.Warning), "warning"))
			}
			return err
		}
	},
}

// examine is doctor.Examine, which an interruption ends at once: a pipe that delivers nothing, or a server that does not
// answer, does not delay the end.
func examine(ctx context.Context, o doctor.Options) (doctor.Findings, error) {
	type result struct {
		findings doctor.Findings
		err      error
	}
	done := make(chan result, 1)
	go func() {
		findings, err := doctor.Examine(ctx, o)
		done <- result{findings, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-done:
		return r.findings, r.err
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
