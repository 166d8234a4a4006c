package main

import (
	"context"
	"flag"
	"fmt"

	"flb-filter-rgcn/plugin/fleet"
)

var keygenCommand = command{
	name:    "keygen",
	args:    "FILE",
	summary: "Make the key pair of a fleet: FILE signs published states, FILE.pub verifies them.",
	more: "FILE is for the trainer alone (publish_key; mode 0600), FILE.pub for every filter that takes its states (state_key).\n" +
		"A signature does not say for which fleet it is: make a pair for each.\n" +
		"Both belong to the user who runs this: chown FILE to the user that publishes, if that is another.\n" +
		"To change the key, append the new public key to the file of the old one on all of them first.",
	example: "rgcn keygen /etc/flb-filter-rgcn/fleet.key",
	setup: func(fs *flag.FlagSet) func(context.Context, *env) error {
		return func(_ context.Context, e *env) error {
			if len(e.args) != 1 {
				return usagef("want one FILE, got %d", len(e.args))
			}
			public, err := fleet.NewKeys(e.args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(e.stdout, "%s signs, %s.pub verifies; the key is named %s in messages\n", e.args[0], e.args[0], fleet.KeyName(public))
			return err
		}
	},
}
