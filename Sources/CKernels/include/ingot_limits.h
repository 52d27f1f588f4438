/// What the machine itself reaches, to compare kernels with: measured, not looked up.
///
/// Each function runs for about `seconds` on `threads` threads of the pool and gives the best of several passes:
/// a limit is what the machine can do, not what it did beside its neighbours.
#ifndef INGOT_LIMITS_H
#define INGOT_LIMITS_H

#include "ingot_context.h"

/// Bytes per second at which a buffer of `bytes`, to be chosen well beyond the caches, is read: once by plain loads
/// and once with software prefetch over several streams, whichever is faster. 0 when memory is short.
double ingot_limit_read(ingot_pool *pool, int threads, ingot_isa isa, size_t bytes, double seconds);

/// Operations per second (a multiply and an add are two) of 8-bit products in registers, with as many independent
/// sums as hide the latency, by the instructions the matrix products of `isa` are made of.
///
/// AVX-512-VNNI: vpdpbusd on 512 bits. AVX2: vpmaddubsw and the addition of 16-bit sums; the occasional widening to
/// 32 bits that real sums need is not counted, so it is a bound no kernel quite reaches. Portable: 16-bit
/// products and sums, 128 bits at a time.
double ingot_limit_int8(ingot_pool *pool, int threads, ingot_isa isa, double seconds);

/// The same for fused multiply-adds of 32-bit floats; portable: multiply, then add.
double ingot_limit_f32(ingot_pool *pool, int threads, ingot_isa isa, double seconds);

/// Seconds that a fork-join of one chunk per thread takes beyond the chunk itself; 0 for one thread.
double ingot_limit_fork_join(ingot_pool *pool, int threads, ingot_isa isa);

#endif
