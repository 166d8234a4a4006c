// Package allow is the list of judged sessions: those that must not raise an alert, and those that always must.
//
// It owns the form of the file, how its lines are looked up, and how one is added. It knows names and times, no
// records, no graph and no score.
package allow
