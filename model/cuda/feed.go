//go:build gpu

package cuda

import (
	"fmt"

	"gorgonia.org/cu"
)

// feeder sends what a step needs to the device, beside the kernels that run there.
type feeder struct {
	d       *Device
	batch   cu.DevicePtr
	room    int           // words
	buffers [2]hostMemory // page-locked copies, by turns
	copied  [2]cu.Event   // when the device has taken them
	turn    int
}

func newFeeder(d *Device) (f feeder, err error) {
	f.d = d
	for i := range f.copied {
		if f.copied[i], err = newEvent(); err != nil {
			return f, err
		}
	}
	return f, nil
}

func newEvent() (cu.Event, error) {
	e, err := cu.MakeEvent(cu.DisableTiming)
	if err != nil {
		return e, fmt.Errorf("cuda: event: %w", err)
	}
	return e, nil
}

// send copies words to batch. They are free again when it returns.
func (f *feeder) send(x []uint32) error {
	if len(x) > f.room {
		if err := f.grow(len(x)); err != nil {
			return err
		}
	}
	i := f.turn % 2
	f.turn++
	if f.turn > 2 {
		if err := f.copied[i].Synchronize(); err != nil {
			return fmt.Errorf("cuda: wait for %s: %w", f.d.Name, err)
		}
	}
	copy(words[uint32](f.buffers[i], 0, len(x)), x)
	if err := cu.MemcpyHtoDAsync(f.batch, f.buffers[i].p, int64(len(x))*4, f.d.stream); err != nil {
		return fmt.Errorf("cuda: copy a batch to %s: %w", f.d.Name, err)
	}
	if err := f.copied[i].Record(f.d.stream); err != nil {
		return fmt.Errorf("cuda: event: %w", err)
	}
	return nil
}

// grow makes room for larger batches.
func (f *feeder) grow(least int) (err error) {
	if err := f.d.stream.Synchronize(); err != nil {
		return fmt.Errorf("cuda: wait for %s: %w", f.d.Name, err)
	}
	f.room = least + least/2
	f.d.release(f.batch)
	if f.batch, err = f.d.alloc(f.room); err != nil {
		return err
	}
	for i := range f.buffers {
		f.d.releaseHost(f.buffers[i])
		if f.buffers[i], err = f.d.allocHost(f.room); err != nil {
			return err
		}
	}
	return nil
}

// tally is the losses of steps, of which up to two passes are under way.
type tally struct {
	d        *Device
	losses   cu.DevicePtr // [steps]
	lossHost hostMemory
	made     int         // steps enqueued
	passed   [2]cu.Event // the ends of the last two passes
	until    [2]int      // steps enqueued by then
	pass     int
	done     int // steps that are done for sure
}

func newTally(d *Device, steps int) (t tally, err error) {
	t.d = d
	if t.losses, err = d.alloc(steps); err != nil {
		return t, err
	}
	if t.lossHost, err = d.allocHost(steps); err != nil {
		return t, err
	}
	for i := range t.passed {
		if t.passed[i], err = newEvent(); err != nil {
			return t, err
		}
	}
	return t, nil
}

// begin waits until at most one pass is under way.
func (t *tally) begin() error {
	if i := t.pass % 2; t.pass >= 2 {
		if err := t.passed[i].Synchronize(); err != nil {
			return fmt.Errorf("cuda: wait for %s: %w", t.d.Name, err)
		}
		t.done = t.until[i]
	}
	return nil
}

// end notes that a pass is enqueued, with so many steps.
func (t *tally) end(steps int) error {
	from := t.made - steps
	if err := cu.MemcpyDtoHAsync(t.lossHost.word(from), at(t.losses, from), int64(steps)*4, t.d.stream); err != nil {
		return fmt.Errorf("cuda: copy losses: %w", err)
	}
	i := t.pass % 2
	if err := t.passed[i].Record(t.d.stream); err != nil {
		return fmt.Errorf("cuda: event: %w", err)
	}
	t.until[i] = t.made
	t.pass++
	return nil
}

// Losses returns those of the steps that are done for sure, without waiting.
func (t *tally) Losses() []float32 { return words[float32](t.lossHost, 0, t.done) }

// Sync waits for all that is enqueued.
func (t *tally) Sync() error {
	if err := t.d.stream.Synchronize(); err != nil {
		return fmt.Errorf("cuda: wait for %s: %w", t.d.Name, err)
	}
	t.done = t.made
	return nil
}
