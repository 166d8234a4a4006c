package num

import (
	"slices"
	"sync/atomic"
	"testing"
)

// A pool enters once for each of its goroutines, not once for each piece of work.
func TestCrewIsKept(t *testing.T) {
	for _, threads := range []int{2, 8} {
		var entered atomic.Int32
		c := NewPool(threads, func() { entered.Add(1) })
		for round := range 100 {
			seen := make([]int, 100)
			c.For(len(seen), func(piece, from, to int) {
				for i := from; i < to; i++ {
					seen[i] += piece + 1
				}
			})
			for i := range seen {
				want := 1
				for want*len(seen)/threads <= i {
					want++
				}
				if seen[i] != want {
					t.Fatalf("%d threads, round %d: item %d was done by piece %d, want %d", threads, round, i, seen[i]-1, want-1)
				}
			}
		}
		if n := entered.Load(); int(n) != threads {
			t.Errorf("%d threads entered %d times", threads, n)
		}
		// A panic comes up here, and the pool works on.
		func() {
			defer func() {
				if r := recover(); r != "too bad" {
					t.Errorf("%v", r)
				}
			}()
			c.For(100, func(piece, _, _ int) {
				if piece == 1 {
					panic("too bad")
				}
			})
			t.Error("no panic")
		}()
		// Every job is done once.
		var done [9]atomic.Int32
		var jobs []func()
		for i := range done {
			jobs = append(jobs, func() { done[i].Add(1) })
		}
		c.Do(jobs...)
		c.Do()
		for i := range done {
			if n := done[i].Load(); n != 1 {
				t.Errorf("%d threads: job %d was done %d times", threads, i, n)
			}
		}
		var sum atomic.Int32
		c.For(100, func(_, from, to int) { sum.Add(int32(to - from)) })
		c.Close()
		if sum.Load() != 100 || int(entered.Load()) != threads || slices.ContainsFunc(c.tasks, func(t chan task) bool { return t != nil }) {
			t.Errorf("%d threads: %d items after a panic, entered %d times", threads, sum.Load(), entered.Load())
		}
		c.Close()
	}
}

func TestAPanicOfAWorkerComesUp(t *testing.T) {
	for _, threads := range []int{1, 3} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%d threads: the panic was lost", threads)
				}
			}()
			NewPool(threads, nil).For(100, func(_, from, to int) {
				if from <= 50 && 50 < to {
					panic("here")
				}
			})
		}()
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%d threads: the panic of a job was lost", threads)
				}
			}()
			NewPool(threads, nil).Do(func() {}, func() { panic("here") }, func() {})
		}()
	}
}

// Without a pool all is done on the caller's goroutine, in its order.
func TestNoPool(t *testing.T) {
	var c *Pool
	var order []int
	c.Do(func() { order = append(order, 1) }, func() { order = append(order, 2) })
	c.For(3, func(piece, from, to int) { order = append(order, piece, from, to) })
	c.Close()
	if !slices.Equal(order, []int{1, 2, 0, 0, 3}) || c.Threads() != 1 {
		t.Errorf("%v, %d threads", order, c.Threads())
	}
}
