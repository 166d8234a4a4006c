package filter

import (
	"runtime/debug"
	"sync"
)

// eager is how often garbage is collected while large trainings run. The setting is one for the whole process, and several
// instances may train at a time: the first to begin changes it, and the last to end changes it back.
var eager struct {
	mu        sync.Mutex
	trainings int
	before    int // the setting without any
}

// eagerPercent is by how much the heap may grow between two collections in a large training.
const eagerPercent = 10

// collectEagerly holds until the function that it returns is called.
func collectEagerly() (end func()) {
	eager.mu.Lock()
	defer eager.mu.Unlock()
	if eager.trainings++; eager.trainings == 1 {
		eager.before = debug.SetGCPercent(eagerPercent)
	}
	return func() {
		eager.mu.Lock()
		defer eager.mu.Unlock()
		if eager.trainings--; eager.trainings == 0 {
			debug.SetGCPercent(eager.before)
		}
	}
}
