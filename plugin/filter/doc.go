// Package filter is one instance of the filter. Instance joins the parts; each part has its own fields and says what
// guards them:
//
//   - recordPath (process.go, fields.go, reason.go, evidence.go): what happens to a chunk of records, and what is added
//   - judge (judge.go): the model in use, and whether a score is low
//   - sources (sources.go): whether a source is reported
//   - unanswered (unanswered.go): which triplets with a low score are not learned yet
//   - allowList (allowlist.go, bad.go): the list of judged sessions, and what trainings take of it
//   - clock (clock.go), timeLog (timelog.go): which times are believed, and what is logged of those that are not
//   - fit (fit.go, misfit.go): whether the records are those that the settings speak of
//   - arrival (arrival.go): whether records come at all
//   - trainer (trainer.go, schedule.go, history.go): when and how the model is trained
//   - source (source.go): what other agents saw, from a search server
//   - background (background.go): the goroutines that train, save and look after files
//   - memory (memory.go, sharedmemory.go, hold.go): how much a training and the graph may take
//   - store (store.go, restore.go), saving (saving.go): the state directory, and whether saving works
//   - follower (follow.go, succeed.go), publisher (publish.go): states that a trainer publishes for others
//   - watch (watch.go): what the live page shows
//
// health.go sums up how an instance is doing, closed.go how it did. predict.go scores triplets that nobody sent. Without
// an instance, saved.go looks at a state directory and foretell.go at the memory that one would take.
//
// The package is pure Go and knows no C: what it needs of the host process it asks of a Host.
package filter
