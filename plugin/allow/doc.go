// Package allow is the list of what people have judged: sessions that shall raise no alert, and sessions that always
// shall.
//
// It owns the form of the file, how its lines are looked up, and how one is added. It knows names and times, no
// records, no graph and no score.
package allow
