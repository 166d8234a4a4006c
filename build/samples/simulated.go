package samples

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"flb-filter-rgcn/model/simulate"
)

// What the notebook's file holds, and Simulated too.
const (
	Rows     = 7143 // sessions
	Triplets = 1490 // distinct ones of source, client and destination
)

// Columns are the names of the columns that are more than a dash in every row; five dashes follow.
const Columns = "ts,uid,id.orig_h,id.orig_p,id.resp_h,id.resp_p,status,direction,client,server"

// Sessions returns the notebook's file, or Simulated where the file is not at hand: for tests
// that need many sessions and do not mind which.
func Sessions(tb testing.TB) []byte {
	tb.Helper()
	if path, ok := Find(Notebook); ok {
		b, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		return b
	}
	return []byte(Simulated())
}

// SessionsPath returns the path of a file with what Sessions returns.
func SessionsPath(tb testing.TB) string {
	tb.Helper()
	if path, ok := Find(Notebook); ok {
		return path
	}
	path := filepath.Join(tb.TempDir(), "simulated_ssh.log")
	if err := os.WriteFile(path, []byte(Simulated()), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// Simulated returns a log in the columns of the notebook's file and of its size: as many sessions,
// as many distinct triplets, in the same 33 hours, with times that step backwards. The sessions are
// those of a simulated enterprise, the same ones at each call.
var Simulated = sync.OnceValue(func() string {
	c := simulate.Default()
	c.Days, c.Novelty = 40, 2
	var rows []simulate.Session
	seen := map[string]bool{}
	err := simulate.Generate(c, func(s *simulate.Session) bool {
		// No banner was seen of one host in four.
		if strings.HasSuffix(s.Source, "1") || strings.HasSuffix(s.Source, "5") {
			s.Client = "-"
		}
		// A new triplet comes when it is its turn, so that there are new ones until the end, and no more than wanted.
		triplet := s.Source + " " + s.Client + " " + s.Destination
		if !seen[triplet] {
			if len(seen)*Rows >= Triplets*(len(rows)+1) {
				return true
			}
			seen[triplet] = true
		} else if Triplets-len(seen) >= Rows-len(rows) {
			return true // the few that are still to come need the last places
		}
		rows = append(rows, *s)
		return len(rows) < Rows
	})
	if err != nil || len(rows) != Rows || len(seen) != Triplets {
		panic(fmt.Sprintf("samples: %d simulated sessions with %d distinct triplets, want %d and %d: %v", len(rows), len(seen), Rows, Triplets, err))
	}
	// The weeks of the simulation are pressed into the hours of the notebook. Zeek writes a session
	// when it ends: one that lasted comes after others that began later.
	begin := time.Date(2012, 3, 16, 12, 30, 11, 0, time.UTC)
	first, span := rows[0].Time, rows[Rows-1].Time.Sub(rows[0].Time)
	end := make([]time.Time, Rows)
	for i := range rows {
		rows[i].Time = begin.Add(time.Duration(float64(33*time.Hour) * float64(rows[i].Time.Sub(first)) / float64(span)))
		end[i] = rows[i].Time.Add(time.Duration(rows[i].SourcePort%40) * time.Second)
	}
	order := make([]int, Rows)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Or(end[a].Compare(end[b]), cmp.Compare(a, b)) })

	var b strings.Builder
	for _, i := range order {
		s := &rows[i]
		status := "failure"
		switch {
		case s.Client == "-":
			status = "undetermined"
		case s.AuthSuccess:
			status = "success"
		}
		b.WriteString(strings.Join([]string{
			fmt.Sprintf("%d.%06d", s.Time.Unix(), s.Time.Nanosecond()/1000), s.UID, s.Source, strconv.Itoa(s.SourcePort),
			s.Destination, "22", status, "INBOUND", s.Client, s.Server, "-", "-", "-", "-", "-",
		}, "\t") + "\n")
	}
	return b.String()
})
