package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/elastic"
	"flb-filter-rgcn/plugin/filter"
)

var statusCommand = command{
	name:    "status",
	args:    "-state DIR",
	summary: "Tell what a filter had done, and what it knew, when it last wrote its state directory.",
	example: "rgcn status -state /var/lib/flb-filter-rgcn",
	setup: func(fs *flag.FlagSet) func(context.Context, *env) error {
		settings := settings{}
		settings.declare(fs)
		asJSON := fs.Bool("json", false, "as JSON, with the names that /healthz has")
		return func(ctx context.Context, e *env) error {
			if len(e.args) > 0 {
				return usagef("unexpected %q: want no FILE", e.args[0])
			}
			c, err := settings.load("state_dir")
			if err != nil {
				return err
			}
			if c.State.Dir == "" {
				return errNoState
			}
			if _, err := os.Stat(c.State.Dir); err != nil {
				return fmt.Errorf("state directory: %w", err)
			}
			if has, err := filter.HasState(c.State.Dir); err != nil {
				return fmt.Errorf("state directory: %w", err)
			} else if !has {
				return fmt.Errorf("state directory %s holds no state: no filter has saved anything there yet", c.State.Dir)
			}
			// The saved status tells about these; what is wrong with them must not hide the rest.
			settings["allow"], settings["model_features"] = "", ""
			f, err := filter.NewFrozen(&host{console: e.console, settings: settings, muted: true})
			if err != nil {
				return err
			}
			s := f.Status()
			f.Close()
			if s.Written.IsZero() { // an older version wrote it: its files tell
				if saved, err := filter.LookAt(c.State.Dir); err == nil {
					s.Written = saved.At.UTC().Truncate(time.Second)
				}
			}
			if *asJSON {
				j := json.NewEncoder(e.stdout)
				j.SetIndent("", "  ")
				return j.Encode(s)
			}
			return printStatus(e, s, time.Now())
		}
	},
}

func printStatus(e *env, s filter.Status, now time.Time) error {
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	line := func(name, format string, a ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, a...)) }
	when := func(t time.Time) string { return t.UTC().Format(time.DateTime) }
	if s.Problem != "" {
		line(s.State, "%s", s.Problem)
	}
	if !s.Written.IsZero() { // a state of weeks ago must not look live
		line("written", "%s UTC, %s", when(s.Written), age(s.Written, now))
	}
	if p := s.Saving; p != nil && p.Problem == "" {
		if p.Last.IsZero() {
			line("learned", "nothing saved since %s UTC", when(s.Since))
		} else {
			line("learned", "saved %s UTC, %s", when(p.Last), age(p.Last, now))
		}
	}
	line("graph", "%d hosts, %d relations, %d distinct triplets", s.Graph.Nodes, s.Graph.Relations, s.Graph.Edges)
	if m := s.Model; m == nil {
		line("model", "none yet")
	} else {
		line("model", "trained %s UTC, %s; held-out AUC %.3f, threshold %s", when(m.Trained), age(m.Trained, now), m.Quality, strconv.FormatFloat(m.Threshold, 'f', 6, 64))
	}
	if t := s.Training; t != nil {
		line("last training", "%s UTC on %s: %d steps over %d triplets in %.2f s, loss %.4f", when(t.At), t.Device, t.Steps, t.Edges, t.Seconds, t.Loss)
	}
	for _, t := range s.Trainings {
		line("trainings", "%d %s on %s", t.Count, t.Result, t.Device)
	}
	line("counts", "%s, since %s UTC", s.Records, when(s.Since))
	if n := s.Records.WrongTime; n > 0 {
		line("times", "%d records with a time that is not believed, or long past", n)
	}
	if n := s.Records.Unread; n > 0 {
		line("times", "%d records with a time that cannot be read: the time that the input gave them counts", n)
	}
	if a := s.Allow; a != nil {
		line("allow", "%s: %d lines, %d never used, %d expired", a.File, a.Lines, a.Lines-a.Used, a.Expired)
		if a.Problem != "" {
			line("", "%s", allowProblem(a))
		}
	}
	if p := s.Source; p != nil {
		if p.LastPull == nil {
			line("source", "%s: nothing read yet", p.Index)
		} else {
			line("source", "%s: last read %s UTC in %.1f s; %d times since the start, %d buckets, %d events of other agents", p.Index, when(*p.LastPull), p.Seconds,
				p.Pulls, p.Buckets, p.Added)
		}
		for _, kind := range elastic.Kinds {
			if n := p.Errors[kind]; n > 0 {
				line("", "%d attempts failed: %s", n, kind)
			}
		}
		if p.Problem != "" {
			line("", "%s", p.Problem)
		}
	}
	printFleet(line, s, when)
	line("triplets", "%d new, %d given up", s.Graph.NewEdges, s.Graph.Evicted)
	if err := w.Flush(); err != nil || s.Allow == nil || s.Allow.Lines == 0 {
		return err
	}
	fmt.Fprintln(e.stdout)
	return printAllow(e.stdout, s.Allow)
}

// age is how long ago a time was.
func age(t, now time.Time) string {
	if d := now.Sub(t).Round(time.Second); d >= 0 {
		return config.FormatDuration(d) + " ago"
	}
	return config.FormatDuration(t.Sub(now).Round(time.Second)) + " ahead of this machine's clock"
}

// allowProblem tells why the list in use is not what its file says: of a file with a bad line the problem begins with its
// place, FILE:LINE or FILE; a file that cannot be read gives the error of the system.
func allowProblem(a *filter.AllowStatus) string {
	if strings.HasPrefix(a.Problem, a.File+":") {
		return "the list is older than its file: " + a.Problem
	}
	text := "the file cannot be read: " + a.Problem
	if a.Lines > 0 {
		text += "; the lines read before hold"
	}
	return text
}

// printFleet tells of the state that the filter follows, and of those that it publishes.
func printFleet(line func(name, format string, a ...any), s filter.Status, when func(time.Time) string) {
	if p := s.Published; p != nil {
		if p.Sequence == 0 {
			line("published state", "none yet from %s", p.From)
		} else {
			line("published state", "%d from %s, published %s UTC, %v ago; %d triplets up to %s UTC", p.Sequence, p.From, when(p.Published),
				time.Since(p.Published).Round(time.Second), p.Edges, when(p.Horizon))
			line("", "%d triplets with %d sessions of this filter were added when it was taken", p.CarriedEdges, p.CarriedSessions)
		}
		last := "never in order yet"
		if !p.LastPoll.IsZero() {
			last = "last in order " + when(p.LastPoll) + " UTC"
		}
		line("", "looks: %d taken, %d unchanged, %d failed, %d refused; %s", p.Taken, p.Unchanged, p.Failed, p.Refused, last)
		if p.Problem != "" {
			line("", "%s", p.Problem)
		}
	}
	if p := s.Publish; p != nil {
		line("publishes", "to %s: %d published, %d failed", p.To, p.Count, p.Failed)
		if p.Count > 0 {
			line("", "last the state %d, %s UTC, %d KiB", p.Sequence, when(p.Published), p.Bytes>>10)
		}
		if p.Problem != "" {
			line("", "%s", p.Problem)
		}
	}
}
