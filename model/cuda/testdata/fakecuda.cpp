// A libcuda.so.1 without a card: what package cuda calls of the driver, with kernels.cu built
// by the host's compiler behind cuLaunchKernel. All work is done before a call returns.
//
//	g++ -shared -fPIC -O2 -o libcuda.so.1 fakecuda.cpp
//
// A warp is one thread, or, with -DHOST_WARP, the 32 lanes of a card, each on a stack of its own
// until a sum over the warp hands over to the next. Memory ends at a page that nobody may touch, as it
// begins behind one.
//
// FAKECUDA_MEMORY is the device's memory in bytes, 1 GiB unless given. After
// FAKECUDA_LAUNCHES launches the device is lost, if that is given. Both may change while a
// program runs.
#include "../kernels.cu"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <sys/mman.h>
#include <ucontext.h>
#include <utility>
#include <vector>

enum {
	SUCCESS = 0,
	INVALID_VALUE = 1,
	OUT_OF_MEMORY = 2,
	INVALID_DEVICE = 101,
	INVALID_PTX = 218,
	NOT_FOUND = 500,
	LAUNCH_FAILED = 719
};

// A kernel's arguments are read as the driver reads them: each from its own place.
template <class... A, size_t... I>
static void call(void (*kernel)(A...), void **p, std::index_sequence<I...>) {
	kernel(*(A *)p[I]...);
}
// clang-format off
#define KERNELS(X) \
	X(propagate) X(diagonal_grad) X(sum_slots) X(decode) X(decode_backward) X(gather_add) \
	X(reduce) X(adam) X(layer_forward) X(self_loop_backward) X(group_backward) X(outer) \
	X(relu_backward) X(dropout_backward) X(l2_grad) X(score_loss) X(score_backward) \
	X(sum_squares) X(loss_sum) X(clip_scale)
// clang-format on
template <class... A>
static void run(void (*kernel)(A...), void **p) {
	call(kernel, p, std::index_sequence_for<A...>{});
}
#define THUNK(kernel) \
	static void run_##kernel(void **p) { run(kernel, p); }
KERNELS(THUNK)
static const struct {
	const char *name;
	void (*run)(void **);
} kernels[] = {
#define ENTRY(kernel) {#kernel, run_##kernel},
	KERNELS(ENTRY)};

static std::mutex mutex;
struct block {
	size_t size;
	void *context; // that it belongs to
};
static std::map<void *, block> memory;
static char *contexts; // how many were made
thread_local void *current;
static size_t used;
static long launches;
static bool lost;
thread_local unsigned host_thread, host_threads;

#ifdef HOST_WARP
// The lanes of the warp that runs. A lane stops in team_sum with what it brings and goes on when
// all have, in the order of their numbers.
static struct {
	ucontext_t lanes[WARP], runner;
	std::vector<char> stacks;
	void (*run)(void **);
	void **args;
	unsigned first, lane, ended;
	float brought[WARP];
} warp;

float team_sum(float x) {
	unsigned lane = warp.lane;
	warp.brought[lane] = x;
	swapcontext(&warp.lanes[lane], &warp.runner);
	float other[WARP];
	memcpy(other, warp.brought, sizeof other);
	swapcontext(&warp.lanes[lane], &warp.runner); // nobody brings more before all have read
	for (unsigned step = WARP / 2; step > 0; step /= 2) {
		float next[WARP];
		for (unsigned i = 0; i < WARP; i++)
			next[i] = other[i] + other[i ^ step];
		memcpy(other, next, sizeof other);
	}
	return other[lane];
}

static void run_lane() {
	warp.run(warp.args);
	warp.ended++;
	for (;;) // a lane that has ended takes no part in sums: those would not end
		swapcontext(&warp.lanes[warp.lane], &warp.runner);
}

static void run_warps(void (*run)(void **), void **args, unsigned threads) {
	const size_t stack = 64 << 10;
	warp.stacks.resize(WARP * stack);
	warp.run = run;
	warp.args = args;
	host_threads = threads;
	for (warp.first = 0; warp.first < threads; warp.first += WARP) {
		for (unsigned i = 0; i < WARP; i++) {
			getcontext(&warp.lanes[i]);
			warp.lanes[i].uc_stack.ss_sp = &warp.stacks[i * stack];
			warp.lanes[i].uc_stack.ss_size = stack;
			makecontext(&warp.lanes[i], run_lane, 0);
		}
		for (warp.ended = 0; warp.ended < WARP;)
			for (warp.lane = 0; warp.lane < WARP; warp.lane++) {
				host_thread = warp.first + warp.lane;
				swapcontext(&warp.runner, &warp.lanes[warp.lane]);
			}
	}
}
#endif

// Memory between two pages that nobody may touch, to the last 16 bytes.
static const size_t page = 4096;
static size_t mapped(size_t n) { return (n + page - 1) / page * page + 2 * page; }
static void *take(size_t n) {
	char *m = (char *)mmap(0, mapped(n), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m == MAP_FAILED || mprotect(m + page, mapped(n) - 2 * page, PROT_READ | PROT_WRITE))
		return 0;
	char *p = m + mapped(n) - page - (n + 15) / 16 * 16;
	memset(p, 0x5a, n); // a card's memory is not cleared either
	return p;
}
static void give(void *p, size_t n) { munmap((char *)p + (n + 15) / 16 * 16 + page - mapped(n), mapped(n)); }

static size_t total() {
	const char *s = getenv("FAKECUDA_MEMORY");
	return s ? strtoull(s, 0, 10) : (size_t)1 << 30;
}

// Whatever lies outside the memory that was given out in the context is an error, as on a card.
static bool inside(const void *p, size_t n) {
	auto at = memory.upper_bound((void *)p);
	return at != memory.begin() &&
		(--at, at->second.context == current && (char *)p + n <= (char *)at->first + at->second.size);
}

typedef unsigned long long ptr;
#define API extern "C" __attribute__((visibility("default"))) int
#define LOCK std::lock_guard<std::mutex> guard(mutex)
#define ALIVE \
	if (lost) \
	return LAUNCH_FAILED

API cuInit(unsigned) { return SUCCESS; }
API cuDriverGetVersion(int *v) { return *v = 12000, SUCCESS; }
API cuDeviceGetCount(int *n) { return *n = 1, SUCCESS; }
API cuDeviceGet(int *d, int i) { return i ? INVALID_DEVICE : (*d = 0, SUCCESS); }
API cuDeviceGetName(char *s, int n, int) { return snprintf(s, n, "host build of the kernels"), SUCCESS; }
API cuCtxCreate_v2(void **c, unsigned, int) {
	LOCK;
	lost = false; // a new context on a device that was reset
	launches = 0;
	return *c = current = ++contexts, SUCCESS;
}
API cuCtxDestroy_v2(void *context) {
	LOCK;
	for (auto m = memory.begin(); m != memory.end();) {
		if (m->second.context != context) {
			++m;
			continue;
		}
		used -= m->second.size;
		give(m->first, m->second.size);
		m = memory.erase(m);
	}
	if (current == context)
		current = 0;
	return SUCCESS;
}
API cuModuleLoadData(void **m, const void *image) {
	if (!strstr((const char *)image, ".visible .entry propagate("))
		return INVALID_PTX;
	return *m = (void *)16, SUCCESS;
}
API cuModuleGetFunction(void **f, void *, const char *name) {
	for (auto &k : kernels)
		if (!strcmp(k.name, name))
			return *f = (void *)&k, SUCCESS;
	return NOT_FOUND;
}
API cuMemGetInfo_v2(size_t *free_, size_t *total_) {
	LOCK;
	*total_ = total();
	*free_ = *total_ > used ? *total_ - used : 0;
	return SUCCESS;
}
API cuMemAlloc_v2(ptr *p, size_t n) {
	LOCK;
	ALIVE;
	if (used + n > total())
		return OUT_OF_MEMORY;
	void *m = take(n);
	if (!m)
		return OUT_OF_MEMORY;
	memory[m] = {n, current};
	used += n;
	return *p = (ptr)m, SUCCESS;
}
API cuMemFree_v2(ptr p) {
	LOCK;
	auto m = memory.find((void *)p);
	if (m == memory.end() || m->second.context != current)
		return INVALID_VALUE;
	used -= m->second.size;
	give(m->first, m->second.size);
	memory.erase(m);
	return SUCCESS;
}
API cuMemHostAlloc(void **p, size_t n, unsigned) { return *p = aligned_alloc(256, (n + 255) / 256 * 256), SUCCESS; }
API cuMemFreeHost(void *p) { return free(p), SUCCESS; }
static int copy(void *to, const void *from, size_t n, const void *device) {
	LOCK;
	ALIVE;
	if (!inside(device, n))
		return INVALID_VALUE;
	memcpy(to, from, n);
	return SUCCESS;
}
API cuMemcpyHtoD_v2(ptr d, const void *s, size_t n) { return copy((void *)d, s, n, (void *)d); }
API cuMemcpyDtoH_v2(void *d, ptr s, size_t n) { return copy(d, (void *)s, n, (void *)s); }
API cuMemcpyHtoDAsync_v2(ptr d, const void *s, size_t n, void *) { return copy((void *)d, s, n, (void *)d); }
API cuMemcpyDtoHAsync_v2(void *d, ptr s, size_t n, void *) { return copy(d, (void *)s, n, (void *)s); }
API cuMemcpyDtoDAsync_v2(ptr d, ptr s, size_t n, void *) { return copy((void *)d, (void *)s, n, (void *)d); }
API cuMemsetD32Async(ptr d, unsigned v, size_t n, void *) {
	LOCK;
	ALIVE;
	if (!inside((void *)d, 4 * n))
		return INVALID_VALUE;
	for (size_t i = 0; i < n; i++)
		((unsigned *)d)[i] = v;
	return SUCCESS;
}
API cuStreamCreate(void **s, unsigned) { return *s = (void *)32, SUCCESS; }
API cuStreamDestroy_v2(void *) { return SUCCESS; }
API cuStreamSynchronize(void *) {
	LOCK;
	ALIVE;
	return SUCCESS;
}
API cuEventCreate(void **e, unsigned) { return *e = malloc(16), SUCCESS; }
API cuEventDestroy_v2(void *e) { return free(e), SUCCESS; }
API cuEventRecord(void *e, void *) {
	LOCK;
	ALIVE;
	return timespec_get((timespec *)e, TIME_UTC), SUCCESS;
}
API cuEventSynchronize(void *) {
	LOCK;
	ALIVE;
	return SUCCESS;
}
API cuEventElapsedTime(float *ms, void *a, void *b) {
	timespec *s = (timespec *)a, *e = (timespec *)b;
	return *ms = (e->tv_sec - s->tv_sec) * 1e3f + (e->tv_nsec - s->tv_nsec) * 1e-6f, SUCCESS;
}
API cuLaunchKernel(void *f, unsigned blocks, unsigned, unsigned, unsigned block, unsigned, unsigned, unsigned, void *,
                   void **args, void **) {
	LOCK;
	const char *most = getenv("FAKECUDA_LAUNCHES");
	if (most && launches >= atol(most))
		lost = true;
	ALIVE;
	launches++;
	auto run = ((decltype(&kernels[0]))f)->run;
#ifdef HOST_WARP
	run_warps(run, args, blocks * block);
#else
	host_threads = (blocks * block + 31) / 32;
	for (host_thread = 0; host_thread < host_threads; host_thread++)
		run(args);
#endif
	return SUCCESS;
}
