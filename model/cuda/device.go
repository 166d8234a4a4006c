//go:build gpu

package cuda

import (
	_ "embed"
	"errors"
	"fmt"
	"math"
	"runtime"
	"unsafe"

	"gorgonia.org/cu"
)

//go:embed kernels.ptx
var ptx string

// Device is a card with a context of this process on it. All its methods are for the
// goroutine that opened it, which stays on its thread until Close.
type Device struct {
	Name      string
	context   cu.CUContext
	module    cu.Module
	stream    cu.Stream
	functions map[string]cu.Function
	memory    map[cu.DevicePtr]struct{}
	host      map[unsafe.Pointer]hostMemory
}

// Probe returns the name of a device, or why there is none of that number. It takes no memory
// of the device.
func Probe(ordinal int) (string, error) {
	_, name, err := find(ordinal)
	return name, err
}

func find(ordinal int) (cu.Device, string, error) {
	if err := openDriver(); err != nil {
		return 0, "", err
	}
	n, err := cu.NumDevices()
	if err != nil {
		return 0, "", fmt.Errorf("cuda: number of devices: %w", err)
	}
	if ordinal >= n {
		return 0, "", fmt.Errorf("cuda: device %d of %d: there is none of that number", ordinal, n)
	}
	device, err := cu.GetDevice(ordinal)
	if err != nil {
		return 0, "", fmt.Errorf("cuda: device %d: %w", ordinal, err)
	}
	name, err := device.Name()
	if err != nil {
		return 0, "", fmt.Errorf("cuda: name of device %d: %w", ordinal, err)
	}
	return device, name, nil
}

// Open makes a context on a device and loads the kernels. Other processes, and other contexts
// of this one, share the device with it.
func Open(ordinal int) (d *Device, err error) {
	device, name, err := find(ordinal)
	if err != nil {
		return nil, err
	}
	runtime.LockOSThread()
	d = &Device{Name: name, functions: map[string]cu.Function{}, memory: map[cu.DevicePtr]struct{}{}, host: map[unsafe.Pointer]hostMemory{}}
	defer func() {
		if err != nil {
			d.Close()
			d = nil
		}
	}()
	// While it waits for the device the thread sleeps: the processors belong to the records.
	if d.context, err = device.MakeContext(cu.SchedBlockingSync); err != nil {
		return d, fmt.Errorf("cuda: context on %s: %w", name, err)
	}
	if d.module, err = cu.LoadData(ptx); err != nil {
		return d, fmt.Errorf("cuda: kernels for %s: %w", name, err)
	}
	if d.stream, err = cu.MakeStream(cu.NonBlocking); err != nil {
		return d, fmt.Errorf("cuda: stream on %s: %w", name, err)
	}
	for _, k := range kernels {
		if d.functions[k], err = d.module.Function(k); err != nil {
			return d, fmt.Errorf("cuda: kernel %s: %w", k, err)
		}
	}
	return d, nil
}

// Close gives back everything that was taken of the device. It works on a device that is
// lost, too.
func (d *Device) Close() {
	for p := range d.memory {
		cu.MemFree(p)
	}
	for _, m := range d.host {
		m.free()
	}
	if d.stream != (cu.Stream{}) {
		d.stream.Destroy()
	}
	if d.context != (cu.CUContext{}) {
		d.context.Destroy() // the module goes with it
		trimHeap()
	}
	*d = Device{}
	runtime.UnlockOSThread()
}

// Free returns how much memory nobody uses at the moment, in bytes.
func (d *Device) Free() (int64, error) {
	free, _, err := cu.MemInfo()
	if err != nil {
		return 0, fmt.Errorf("cuda: memory of %s: %w", d.Name, err)
	}
	return free, nil
}

// ErrMemory is what is returned when the device has not enough memory.
var ErrMemory = errors.New("cuda: out of memory")

// alloc returns uninitialised memory for n words of 4 bytes.
func (d *Device) alloc(n int) (cu.DevicePtr, error) {
	p, err := cu.MemAlloc(int64(max(n, 1)) * 4)
	if err == cu.OutOfMemory {
		return 0, fmt.Errorf("%w: %d bytes on %s", ErrMemory, n*4, d.Name)
	}
	if err != nil {
		return 0, fmt.Errorf("cuda: %d bytes on %s: %w", n*4, d.Name, err)
	}
	d.memory[p] = struct{}{}
	return p, nil
}

// taker takes several blocks of memory; err is that of the first that there was no room for.
type taker struct {
	d   *Device
	err error
}

func (t *taker) words(n int) cu.DevicePtr {
	if t.err != nil {
		return 0
	}
	var p cu.DevicePtr
	p, t.err = t.d.alloc(n)
	return p
}

func (d *Device) release(p cu.DevicePtr) {
	if _, ok := d.memory[p]; ok {
		d.stream.Synchronize() // what was enqueued may use it
		cu.MemFree(p)
		delete(d.memory, p)
	}
}

// allocHost returns page-locked memory for n words.
func (d *Device) allocHost(n int) (hostMemory, error) {
	m, err := newHostMemory(max(n, 1) * 4)
	if err == nil {
		d.host[m.p] = m
	}
	return m, err
}

func (d *Device) releaseHost(m hostMemory) {
	if _, ok := d.host[m.p]; ok {
		m.free()
		delete(d.host, m.p)
	}
}

// zero clears n words once the work before is done.
func (d *Device) zero(p cu.DevicePtr, n int) error {
	if err := cu.MemsetD32Async(p, 0, int64(n), d.stream); err != nil {
		return fmt.Errorf("cuda: clear %d words: %w", n, err)
	}
	return nil
}

// upload copies to the device and waits until that is done.
func upload[T int32 | uint32 | float32](d *Device, to cu.DevicePtr, x []T) error {
	if len(x) == 0 {
		return nil
	}
	if err := d.stream.Synchronize(); err != nil { // nobody reads what was there
		return fmt.Errorf("cuda: wait for %s: %w", d.Name, err)
	}
	if err := cu.MemcpyHtoD(to, unsafe.Pointer(&x[0]), int64(len(x))*4); err != nil {
		return fmt.Errorf("cuda: copy %d words to %s: %w", len(x), d.Name, err)
	}
	return nil
}

// download waits for the work so far and copies from the device.
func (d *Device) download(x []float32, from cu.DevicePtr) error {
	if err := d.stream.Synchronize(); err != nil {
		return fmt.Errorf("cuda: wait for %s: %w", d.Name, err)
	}
	if len(x) == 0 {
		return nil
	}
	if err := cu.MemcpyDtoH(unsafe.Pointer(&x[0]), from, int64(len(x))*4); err != nil {
		return fmt.Errorf("cuda: copy %d words from %s: %w", len(x), d.Name, err)
	}
	return nil
}

// arg is an argument of a kernel. cu copies 8 bytes of each, whatever its type; of a smaller
// one the kernel reads the first.
type arg uint64

func pointer(p cu.DevicePtr) arg { return arg(p) }
func integer(n int) arg          { return arg(uint32(int32(n))) }
func number(x float32) arg       { return arg(math.Float32bits(x)) }

// at is the place n words behind p.
func at(p cu.DevicePtr, n int) cu.DevicePtr { return p + cu.DevicePtr(4*n) }

const (
	block = 128     // threads
	warp  = 32      // threads, as in kernels.cu
	grid  = 1 << 20 // blocks at most; threads go on with what is left
)

// launch runs a kernel with at least so many threads.
func (d *Device) launch(kernel string, threads int, args ...arg) error {
	if threads == 0 {
		return nil
	}
	pointers := make([]unsafe.Pointer, len(args))
	for i := range args {
		pointers[i] = unsafe.Pointer(&args[i])
	}
	blocks := min((threads+block-1)/block, grid)
	if err := d.functions[kernel].Launch(blocks, 1, 1, block, 1, 1, 0, d.stream, pointers); err != nil {
		return fmt.Errorf("cuda: kernel %s: %w", kernel, err)
	}
	return nil
}
