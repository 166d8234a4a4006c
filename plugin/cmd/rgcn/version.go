package main

import (
	"context"
	"flag"
	"fmt"

	"flb-filter-rgcn/plugin/version"
)

var versionCommand = command{
	name:    "version",
	summary: "Tell the version, as the filter does at its start and in the metric rgcn_build_info.",
	example: "rgcn version",
	setup: func(*flag.FlagSet) func(context.Context, *env) error {
		return func(_ context.Context, e *env) error {
			if len(e.args) > 0 {
				return usagef("unexpected %q: want no argument", e.args[0])
			}
			_, err := fmt.Fprintf(e.stdout, "rgcn %s\n", version.Line())
			return err
		}
	},
}
