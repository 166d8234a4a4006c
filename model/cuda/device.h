// What kernels.cu needs of a compiler. clang makes PTX of it without the CUDA toolkit; g++
// makes plain functions of the same lines, which the tests run where there is no card.
//
// A team is the threads that share the columns of one row: TEAM of them in a kernel's
// arguments, a power of two up to a warp. On the host a team is one thread that does it all,
// and a sum over a warp is that thread's; with HOST_WARP there are lanes there too.
#pragma once

typedef float vec4 __attribute__((vector_size(16)));

#if defined(__CUDA__)
#define KERNEL extern "C" __attribute__((global)) void
#define DEVICE static __attribute__((device)) inline
#define WARP 32
#define THREAD (__nvvm_read_ptx_sreg_ctaid_x() * __nvvm_read_ptx_sreg_ntid_x() + __nvvm_read_ptx_sreg_tid_x())
#define THREADS (__nvvm_read_ptx_sreg_nctaid_x() * __nvvm_read_ptx_sreg_ntid_x())
#define LANES(team) (team)

DEVICE float team_sum(float x) { // over a whole warp
	for (int other = WARP / 2; other > 0; other /= 2)
		x += __nvvm_shfl_sync_bfly_f32(0xffffffffu, x, other, WARP - 1);
	return x;
}
// The hardware's own functions: the library's are not there. Off by some 1e-7 absolutely.
DEVICE float exponential(float x) { return __nvvm_ex2_approx_f(x * 1.44269504f); }
DEVICE float logarithm(float x) { return __nvvm_lg2_approx_f(x) * 0.693147181f; }
DEVICE float sine(float x) { return __nvvm_sin_approx_f(x); }
DEVICE float cosine(float x) { return __nvvm_cos_approx_f(x); }
DEVICE float root(float x) { return __nvvm_sqrt_rn_f(x); }
#else
#include <cmath>
#define KERNEL extern "C" void
#define DEVICE static inline
extern thread_local unsigned host_thread, host_threads; // set by whoever runs a kernel
#define THREAD host_thread
#define THREADS host_threads

#ifdef HOST_WARP // lanes as on a device, one after the other; slow
#define WARP 32
#define LANES(team) (team)
float team_sum(float x); // of whoever runs a kernel
#else
#define WARP 1
#define LANES(team) 1
DEVICE float team_sum(float x) { return x; }
#endif

DEVICE float exponential(float x) { return expf(x); }
DEVICE float logarithm(float x) { return logf(x); }
DEVICE float sine(float x) { return sinf(x); }
DEVICE float cosine(float x) { return cosf(x); }
DEVICE float root(float x) { return sqrtf(x); }
#endif
