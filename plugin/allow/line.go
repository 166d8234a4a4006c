package allow

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// Verdict is what a line says about the sessions that it matches.
type Verdict uint8

// The verdicts.
const (
	Allowed Verdict = iota // no alert
	Bad                    // always one
	verdicts
)

// String is the verdict as the file has it.
func (v Verdict) String() string {
	if v == Bad {
		return "bad"
	}
	return "allow"
}

// Line is one line of a list. Only its hits change.
type Line struct {
	Number                        int // in the file, from 1
	Source, Relation, Destination string
	Verdict                       Verdict
	From, Until                   int64 // unix nanoseconds, the second exclusive; 0: no such limit
	Note                          string

	hits *atomic.Uint64 // shared with the same line of the list before
}

// Wide tells why a line may silence more than was meant, "" where it does not: whatever its relation is, a client or a user
// can be anybody's, an intruder's too.
func (l *Line) Wide() string {
	if l.Verdict != Allowed || strings.Trim(l.Source+l.Destination, "*|") != "" {
		return ""
	}
	return fmt.Sprintf("%s,%s,%s silences everybody who comes so, an intruder too: name the network of the sources, such as 10.1.2.0/24", l.Source, l.Relation, l.Destination)
}

// Hit counts a session for which the line made a difference.
func (l *Line) Hit() { l.hits.Add(1) }

// Hits are those sessions so far.
func (l *Line) Hits() uint64 { return l.hits.Load() }

// Expired reports whether the line has ended at a time, in unix nanoseconds.
func (l *Line) Expired(at int64) bool { return l.Until != 0 && at >= l.Until }

// holds reports whether the line is in force at a time.
func (l *Line) holds(at int64) bool { return at >= l.From && !l.Expired(at) }

// identity is equal for lines with the same meaning, wherever they stand and whatever their notes.
type identity struct {
	source, relation, destination string
	verdict                       Verdict
	from, until                   int64
}

func (l *Line) identity() identity {
	return identity{l.Source, l.Relation, l.Destination, l.Verdict, l.From, l.Until}
}

const dateForm = "2006-01-02"

// The years that a line may name: their nanoseconds fit into 64 bits.
const firstYear, lastYear = 2000, 2200

// wantTime completes "want ...".
const wantTime = "a date such as 2027-03-31 or a time such as 2027-03-31T11:00:00Z, of the years 2000 to 2200"

// parseTime reads a date or an RFC 3339 time. A date is that whole day in UTC: its end where end is set.
func parseTime(text string, end bool) (t time.Time, ok bool) {
	t, err := time.Parse(dateForm, text)
	date := err == nil
	if !date {
		t, err = time.Parse(time.RFC3339, text)
	}
	if err != nil || t.Year() < firstYear || t.Year() > lastYear {
		return t, false
	}
	if date && end {
		t = t.AddDate(0, 0, 1) // of the last year's last day it is of the year after, whose nanoseconds fit as well
	}
	return t.UTC(), true
}

// FormatTime is a limit of a line, in unix nanoseconds, for people; "" for none.
func FormatTime(t int64) string {
	if t == 0 {
		return ""
	}
	return time.Unix(0, t).UTC().Format(time.RFC3339)
}
