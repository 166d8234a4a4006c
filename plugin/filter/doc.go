// Package filter is one instance of the filter. Instance joins the parts; each part has its own fields and says what
// guards them:
//
//   - recordPath (process.go, fields.go, reason.go, evidence.go, latency.go): what happens to a chunk of records, what is
//     added, and how long that takes
//   - judge (judge.go): the model in use, and whether a score is low; who spends an alert (owner.go)
//   - sources (sources.go): whether a source is reported
//   - unanswered (unanswered.go): which triplets with a low score are not learned yet
//   - allowList (allowlist.go, bad.go): the list of judged sessions, and what trainings take of it
//   - clock (clock.go), timeLog (timelog.go): which times are believed, and what is logged of those that are not
//   - fit (fit.go, misfit.go, unreadabletime.go): whether the records are those that the settings speak of, said in warnings
//     (warning.go)
//   - arrival (arrival.go): whether records come at all
//   - trainer (trainer.go, schedule.go, history.go, waiting.go): when and how the model is trained, and why there is none yet
//   - source (source.go, slowpull.go): what other agents saw, from a search server
//   - background (background.go): the goroutines that train, save and look after files
//   - memory (memory.go, sharedmemory.go, hold.go): how much a training and the graph may take
//   - store (store.go, restore.go), saving (saving.go): the state directory, and whether saving works
//   - follower (follow.go, followstatus.go, unpack.go, succeed.go), publisher (publish.go): states that a trainer publishes
//     for others; whether the two name hosts alike (naming.go)
//   - watch (watch.go): what the live page shows
//
// filter.go makes an instance of these parts, by the settings that settings.go translates. status.go tells what it is and
// has done, health.go sums up how it is doing, closed.go how it did. predict.go scores triplets that nobody sent. Without
// an instance, saved.go looks at a state directory, published.go at a published state, and foretell.go at the memory that
// an instance would take.
//
// The package is pure Go and knows no C: what it needs of the host process it asks of a Host.
package filter
