package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"flb-filter-rgcn/plugin/allow"
	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/record"
	"flb-filter-rgcn/plugin/triplet"
)

var allowCommand = command{
	name:    "allow",
	args:    "SOURCE DESTINATION",
	summary: "Add a line to the list of judged sessions: those that it names get no low score, or with -bad always one.",
	more: "SOURCE and DESTINATION are names as the records have them, networks such as 10.1.2.0/24, or * for any; names that are\n" +
		"joined of several fields are written with | between, each part as one of these. The filter reads the list again by itself.",
	example: "rgcn allow -file allow.csv -for 90d -note 'weekly backup' 10.1.2.0/24 db-1.example.org",
	setup: func(fs *flag.FlagSet) func(context.Context, *env) error {
		settings := settings{}
		settings.declareFields(fs)
		var entry allow.Entry
		path := fs.String("file", "", "the list, a CSV `FILE`; without, that of the settings (-config FILE, -set allow=FILE)")
		fs.StringVar(&entry.Relation, "relation", "*", "`NAME` of the relation, such as the client's")
		fs.StringVar(&entry.Note, "note", "", "`TEXT` that says why, for people")
		duration := fs.String("for", "", "for how long from now: `TIME` such as 2h, 90d, 1d12h; without, for ever")
		bad := fs.Bool("bad", false, "what the line names is bad: it always gets a low score, and is not learned")
		return func(_ context.Context, e *env) error {
			if len(e.args) != 2 {
				return usagef("want SOURCE and DESTINATION, got %d arguments", len(e.args))
			}
			entry.Source, entry.Destination = e.args[0], e.args[1]
			if *bad {
				entry.Verdict = allow.Bad
			}
			if *duration != "" {
				d, ok := config.ParseDuration(*duration)
				if !ok || d < time.Second || d > config.LongestDuration {
					return usagef("-for %q: want a duration such as 2h, 90d or 1d12h, at least 1s, at most %s; without -for the line holds for ever", *duration, config.FormatDuration(config.LongestDuration))
				}
				entry.Until = time.Now().Add(d).Truncate(time.Second)
			}
			load := settings.loadFields
			if *path == "" {
				load = func() (config.Config, error) { return settings.load("allow") }
			}
			c, err := load()
			if err != nil {
				return err
			}
			if *path == "" {
				*path = c.Allow
			}
			if *path == "" {
				return usagef("no list: want -file FILE, the file that Allow names in the filter's section, or -config FILE, if the filter's settings are in a TOML file that names it")
			}
			finder, err := triplet.New(c.Fields, new(record.Spec))
			if err != nil {
				return err
			}
			l, err := allow.Append(*path, entry, finder.Naming())
			if err != nil {
				return err
			}
			until := "for ever"
			if l.Until != 0 {
				until = "until " + allow.FormatTime(l.Until)
			}
			e.Log(filter.LevelInfo, fmt.Sprintf("%s:%d: %s %s,%s,%s %s", *path, l.Number, l.Verdict, l.Source, l.Relation, l.Destination, until))
			if why := l.Wide(); why != "" {
				e.Log(filter.LevelWarn, why)
			}
			return nil
		}
	},
}

// printAllow writes the lines of the list with their hits, those with the most first.
func printAllow(out io.Writer, a *filter.AllowStatus) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "HITS\tLINE\tVERDICT\tSOURCE\tRELATION\tDESTINATION\tUNTIL\tNOTE")
	for _, l := range a.TopLines {
		until := l.Until
		if l.Expired {
			until += " (expired)"
		}
		hits := "never used"
		if l.Hits > 0 {
			hits = strconv.FormatUint(l.Hits, 10)
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", hits, l.Line, l.Verdict, cell(l.Source), cell(l.Relation), cell(l.Destination), until, cell(l.Note))
	}
	if more := a.Lines - len(a.TopLines); more > 0 {
		fmt.Fprintf(w, "and %d more\n", more)
	}
	return w.Flush()
}
