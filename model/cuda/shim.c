//go:build gpu

// The CUDA driver, found when it is first asked for and not when this file is loaded: one
// plugin for machines with and without a card. Every entry point that gorgonia.org/cu calls
// is here as a jump through a slot; until the driver is open the slots lead to an error.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>

#include "symbols.h"

#define HIDDEN __attribute__((visibility("hidden")))

enum {
	NOT_INITIALIZED = 3,
	INSUFFICIENT_DRIVER = 35,
	NOT_FOUND = 500,
};

HIDDEN int rgcn_cuda_missing(void) { return NOT_FOUND; }

#define SLOT(symbol) HIDDEN void *rgcn_slot_##symbol = (void *)rgcn_cuda_missing;
CUDA_SYMBOLS(SLOT)

#define NAME(symbol) #symbol,
static const char *const names[] = {CUDA_SYMBOLS(NAME)};
#define ADDRESS(symbol) &rgcn_slot_##symbol,
static void **const slots[] = {CUDA_SYMBOLS(ADDRESS)};

// A jump leaves arguments and stack as they are, whatever the function's type.
#if defined(__x86_64__)
#define BODY(symbol) ".byte 0xf3, 0x0f, 0x1e, 0xfa\n\tjmp *rgcn_slot_" #symbol "(%rip)\n"
#elif defined(__aarch64__)
#define BODY(symbol) "adrp x16, rgcn_slot_" #symbol "\n\tldr x16, [x16, :lo12:rgcn_slot_" #symbol "]\n\tbr x16\n"
#else
#error "model/cuda: jumps are written for amd64 and arm64 only"
#endif
// clang-format off
#define JUMP(symbol) \
	__asm__(".text\n.globl " #symbol "\n.hidden " #symbol "\n.type " #symbol ", @function\n" #symbol ":\n\t" \
		BODY(symbol) ".size " #symbol ", . - " #symbol "\n");
// clang-format on
CUDA_SYMBOLS(JUMP)

// cu calls this when the program starts, before a fork of the host and on machines without a
// driver, and ends the process unless it succeeds.
HIDDEN int cuInit(unsigned flags) { return 0; }

static const char *problem = "not opened";
static int code = NOT_INITIALIZED;
static int (*alloc_host)(void **, size_t, unsigned);
static int (*free_host)(void *);

static void open_driver(void) {
	void *driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!driver) {
		problem = "no CUDA driver: libcuda.so.1 is not found";
		code = INSUFFICIENT_DRIVER;
		return;
	}
	int (*init)(unsigned) = (int (*)(unsigned))dlsym(driver, "cuInit");
	if (!init) {
		problem = "libcuda.so.1 has no cuInit";
		code = INSUFFICIENT_DRIVER;
		return;
	}
	if ((code = init(0)) != 0) {
		problem = "cuInit failed";
		return;
	}
	for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
		void *function = dlsym(driver, names[i]);
		if (function)
			*slots[i] = function;
	}
	// cu has no call that gives page-locked memory, which copies beside the kernels need.
	alloc_host = (int (*)(void **, size_t, unsigned))dlsym(driver, "cuMemHostAlloc");
	free_host = (int (*)(void *))dlsym(driver, "cuMemFreeHost");
	problem = "";
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

// rgcn_cuda_open opens the driver, once, and returns its CUresult; 0 is success.
HIDDEN int rgcn_cuda_open(const char **message) {
	pthread_once(&once, open_driver);
	*message = problem;
	return code;
}

HIDDEN int rgcn_cuda_alloc_host(void **p, size_t bytes) { return alloc_host ? alloc_host(p, bytes, 0) : NOT_FOUND; }

// rgcn_cuda_trim gives back to the system what the driver took of the heap and has freed. A context
// takes and frees tens of megabytes in small blocks, in whichever arenas its threads use, and glibc
// keeps them: a process that trains for weeks would grow by a megabyte a training. musl has no such call.
HIDDEN void rgcn_cuda_trim(void) {
	static int (*trim)(size_t);
	if (!trim)
		trim = (int (*)(size_t))dlsym(RTLD_DEFAULT, "malloc_trim");
	if (trim)
		trim(0);
}

HIDDEN int rgcn_cuda_free_host(void *p) { return free_host ? free_host(p) : NOT_FOUND; }
