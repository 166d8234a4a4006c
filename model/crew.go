package model

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// crew is the goroutines that share the work of a training.
type crew struct {
	threads int
	enter   func() // nil: nothing to do
}

// do runs work over [0, n) in as many pieces as there are threads, each in a goroutine of
// its own. Pieces must not share what they write.
func (c crew) do(n int, work func(piece, from, to int)) {
	if c.threads <= 1 || n < 2*c.threads {
		work(0, 0, n)
		return
	}
	var wg sync.WaitGroup
	var failed atomic.Value // a panic, which has to come up on the caller's goroutine to be caught there
	for t := range c.threads {
		wg.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					failed.CompareAndSwap(nil, fmt.Sprint(r))
				}
			}()
			if c.enter != nil {
				c.enter()
			}
			work(t, n*t/c.threads, n*(t+1)/c.threads)
		})
	}
	wg.Wait()
	if r := failed.Load(); r != nil {
		panic(r)
	}
}
