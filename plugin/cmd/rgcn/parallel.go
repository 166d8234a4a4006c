package main

import (
	"context"
	"sync"
	"sync/atomic"
)

// parallel does n pieces of work, so many at a time, and returns their results in order.
func parallel[T any](ctx context.Context, jobs, n int, bar *progress, do func(i int) (T, error)) ([]T, error) {
	runs, errs := make([]T, n), make([]error, n)
	var next atomic.Int64
	var failed atomic.Bool // no further piece need begin
	var mu sync.Mutex      // guards bar, which is for one goroutine at a time, and done
	done := 0
	var wg sync.WaitGroup
	for range min(jobs, n) {
		wg.Go(func() {
			for i := int(next.Add(1) - 1); i < n && ctx.Err() == nil && !failed.Load(); i = int(next.Add(1) - 1) {
				if runs[i], errs[i] = do(i); errs[i] != nil {
					failed.Store(true)
				}
				mu.Lock()
				done++
				bar.update(done, float64(done)/float64(n))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	bar.done()
	return runs, first(append([]error{ctx.Err()}, errs...)...)
}
