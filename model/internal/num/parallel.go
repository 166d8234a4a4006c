package num

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// Pool is the goroutines that share the work of a training. They live from one piece of work to the next,
// because each of them may bind an operating system thread when it enters. A nil Pool works on the caller's goroutine.
type Pool struct {
	threads int
	enter   func() // nil: nothing to do

	mu    sync.Mutex // held for one piece of work
	tasks []chan task
}

// task is one thread's share of a piece of work.
type task struct {
	work   func(thread int)
	thread int
	done   *sync.WaitGroup
	failed *failure
}

// failure is the first panic of a piece of work, which has to come up on the caller's goroutine to be caught there.
type failure struct {
	mu   sync.Mutex
	text string
	set  bool
}

// NewPool returns a pool of the given number of threads. Each calls enter, unless nil, before its first work.
// Close the pool after use.
func NewPool(threads int, enter func()) *Pool {
	return &Pool{threads: threads, enter: enter, tasks: make([]chan task, max(threads, 0))}
}

// Threads is how many pieces of work run at the same time, at least 1.
func (c *Pool) Threads() int {
	if c == nil {
		return 1
	}
	return max(1, c.threads)
}

// Close ends the goroutines. The pool may be used again.
func (c *Pool) Close() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, t := range c.tasks {
		if t != nil {
			close(t)
			c.tasks[i] = nil
		}
	}
}

// For runs work over [0, n) in as many pieces as there are threads, each in its own goroutine. A piece must
// neither write what another one reads or writes nor use the pool. A panic in a piece comes up in the caller.
func (c *Pool) For(n int, work func(piece, from, to int)) {
	threads := c.Threads()
	if threads == 1 || n < 2*threads {
		work(0, 0, n)
		return
	}
	c.each(func(i int) { work(i, n*i/threads, n*(i+1)/threads) })
}

// Do runs jobs, each on the next thread that is free, and in their order where there is one thread. A job must neither
// write what another one reads or writes nor use the pool. A panic in a job comes up in the caller.
func (c *Pool) Do(jobs ...func()) {
	if c.Threads() == 1 {
		for _, job := range jobs {
			job()
		}
		return
	}
	var taken atomic.Int32
	c.each(func(int) {
		for i := taken.Add(1); int(i) <= len(jobs); i = taken.Add(1) {
			jobs[i-1]()
		}
	})
}

// each runs work once on every thread.
func (c *Pool) each(work func(thread int)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var done sync.WaitGroup
	var failed failure
	done.Add(c.threads)
	for i := range c.threads {
		if c.tasks[i] == nil {
			c.tasks[i] = make(chan task)
			go serve(c.tasks[i], c.enter)
		}
		c.tasks[i] <- task{work, i, &done, &failed}
	}
	done.Wait()
	if failed.set {
		panic(failed.text)
	}
}

// serve is the loop of one goroutine.
func serve(tasks <-chan task, enter func()) {
	entered := false
	for t := range tasks {
		t.run(func() {
			if enter != nil && !entered {
				enter()
			}
			entered = true
		})
	}
}

func (t task) run(enter func()) {
	defer t.done.Done()
	defer func() {
		if r := recover(); r != nil {
			t.failed.mu.Lock()
			defer t.failed.mu.Unlock()
			if !t.failed.set {
				t.failed.text, t.failed.set = fmt.Sprint(r), true
			}
		}
	}()
	enter()
	t.work(t.thread)
}
