package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/fleet"
	"flb-filter-rgcn/plugin/outage"
)

var trainCommand = command{
	name:    "train",
	args:    "-state DIR FILE... | -state DIR -from URL | -state DIR -publish PLACE -key FILE",
	summary: "Learn from the records of files, or from a search server that has them, train once at the end, and save graph and model.",
	more: "With -from the cluster counts, and only triplets with their counts travel. The fields are those of the filter's settings, as the documents have\n" +
		"them; the time is @timestamp unless the settings name another field of type date. What is in the state directory stays, and a later run reads\n" +
		"what came since. Credentials: a file that -credentials names, or ES_AUTH=user:password or ES_API_KEY in the environment.\n\n" +
		"With -publish, graph and model also go where filters with state_from find them: a directory or a file, http://..., https://...\n" +
		"(by PUT) or s3://BUCKET/KEY. Credentials come from the file that -set fleet_credentials=FILE names, or from the environment. Without FILE it\n" +
		"publishes what the state directory holds and learns nothing: for when the place was not there after a training.",
	example: "rgcn train -state /var/lib/rgcn -publish https://states.example.com/ssh/ -key fleet.key ssh.2026-03-*.log.gz",
	setup: func(fs *flag.FlagSet) func(context.Context, *env) error {
		s := newRun(fs)
		var o origin
		o.declare(fs)
		fs.Func("publish", "`PLACE` to publish graph and model to, as publish", func(place string) error { s.settings["publish"] = place; return nil })
		fs.Func("key", "`FILE` of the private key that signs them, as publish_key; rgcn keygen makes one", func(file string) error { s.settings["publish_key"] = file; return nil })
		return func(ctx context.Context, e *env) error { return train(ctx, e, s, &o) }
	},
}

var errNoState = usagef("no state directory: want -state DIR, or dir under [state] in the -config file")

func train(ctx context.Context, e *env, s *run, o *origin) error {
	fromServer, err := o.settle(s.settings, e.args)
	if err != nil {
		return err
	}
	if err := s.checkSettings(e); err != nil {
		return err
	}
	again := !fromServer && len(e.args) == 0 && s.config.Publish.To != "" // publish what was learned before
	switch {
	case fromServer && s.input.columns != "":
		return usagef("-columns is for FILE, and does not go with -from")
	case fromServer && s.input.strict:
		return usagef("-strict is for FILE, and does not go with -from")
	}
	if !fromServer && !again {
		if err := s.input.start(e, s.config.Fields); err != nil {
			return err
		}
	}
	if s.config.State.Dir == "" {
		return errNoState
	}
	if again {
		return publishAgain(ctx, e, s)
	}
	if err := s.start(filter.NewOffline); err != nil {
		return err
	}
	if fromServer {
		err = s.pull(ctx)
	} else {
		err = s.each(ctx, func([]byte) error { return nil })
	}
	if err == nil && s.records == 0 {
		err = errNoRecords
	}
	if c := s.filter.Counts(); err == nil && !fromServer && c.Counted == 0 {
		err = fmt.Errorf("none of %d records has a source and a destination, or none fulfils the conditions: there is nothing to learn", s.records)
	}
	if err == nil {
		steps := newProgress(e.console, "steps")
		err = s.filter.Train(ctx, s.newest, func(step, of int, _ float32) { steps.update(step, float64(step)/float64(of)) })
		steps.done()
	}
	if !fromServer && err != nil {
		if s.records > 0 {
			err = fmt.Errorf("%w; nothing was saved in %s, so that the same records can be read again", err, s.config.State.Dir)
		}
		return first(err, s.abandon())
	}
	if fromServer && err != nil && s.records == 0 { // the server did not answer: the status of before tells more
		return first(err, s.abandon())
	}
	done := []string{"state in " + s.config.State.Dir}
	if err == nil && s.config.Publish.To != "" {
		var p filter.PublishStatus
		if p, err = publish(ctx, s); err == nil {
			done = append(done, published(p))
		} else if ctx.Err() == nil {
			err = fmt.Errorf("%w; what was learned is in %s: run the same command without FILE or -from to publish it, as records that are read again count again", err, s.config.State.Dir)
		}
	}
	switch err = first(err, s.close()); {
	case fromServer && err == nil:
		e.Log(filter.LevelInfo, strings.Join(done, ", "))
	case !fromServer && ended(err):
		s.sumUp(done...)
	}
	return err
}

// publishAgain publishes what the state directory holds.
func publishAgain(ctx context.Context, e *env, s *run) error {
	if err := s.start(filter.NewOffline); err != nil {
		return err
	}
	p, err := publish(ctx, s)
	if errors.Is(err, filter.ErrNoModel) {
		err = fmt.Errorf("nothing to publish: %s holds no model, and there is no FILE to learn from", s.config.State.Dir)
	}
	if err = first(err, s.close()); err == nil {
		e.Log(filter.LevelInfo, published(p))
	}
	return err
}

func published(p filter.PublishStatus) string {
	return fmt.Sprintf("published to %s as state %d of %d KiB", p.To, p.Sequence, p.Bytes>>10)
}

// publishTries is how often a server is tried, within some half a minute: the run cannot be repeated, as its records
// would count again.
const publishTries = 6

// publish publishes what was trained.
func publish(ctx context.Context, s *run) (p filter.PublishStatus, err error) {
	for try := 1; ; try++ {
		p, err = s.filter.Publish(ctx)
		if err == nil || try == publishTries || errors.Is(err, filter.ErrNoModel) || fleet.IsPath(s.config.Publish.To) || fleet.Lasts(err) {
			return p, err
		}
		s.env.Log(filter.LevelWarn, fmt.Sprintf("not published, it is tried again: %v", err))
		select {
		case <-ctx.Done():
			return p, ctx.Err()
		case <-time.After(outage.Retry(try, time.Minute)):
		}
	}
}
