package model

import (
	"fmt"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/blas"
	blasgonum "gonum.org/v1/gonum/blas/gonum"
)

// The few loops that all of training is made of, over rows of float32.

var impl blasgonum.Implementation

// axpy adds a*x to y.
func axpy(a float32, x, y []float32) { impl.Saxpy(len(x), a, x, 1, y, 1) }

// dot returns <x, y>.
func dot(x, y []float32) float32 { return impl.Sdot(len(x), x, 1, y, 1) }

// mulAdd adds x*y, element by element, to z.
func mulAdd(x, y, z []float32) {
	y, z = y[:len(x)], z[:len(x)]
	for i, v := range x {
		z[i] += v * y[i]
	}
}

// gemv adds w x, or with trans the transposed w times x, to y; w is [k][k] row-major.
func gemv(trans bool, w, x, y []float32) {
	t := blas.NoTrans
	if trans {
		t = blas.Trans
	}
	k := len(x)
	impl.Sgemv(t, k, k, 1, w, k, x, 1, 1, y, 1)
}

// row returns row i of x, [rows][k] row-major.
func row(x []float32, i int32, k int) []float32 { return x[int(i)*k:][:k:k] }

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
