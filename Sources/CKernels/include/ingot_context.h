/// The thread pool and the choice of instruction set that every kernel of this folder runs with.
#ifndef INGOT_CONTEXT_H
#define INGOT_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Instruction sets the kernels are written for, those of one architecture slowest first.
typedef enum ingot_isa {
  INGOT_ISA_PORTABLE = 0,     ///< on aarch64 that includes processors without dot products
  INGOT_ISA_NEON = 1,         ///< aarch64 with FEAT_DotProd
  INGOT_ISA_I8MM = 2,         ///< and FEAT_I8MM
  INGOT_ISA_AVX2 = 3,         ///< with FMA and F16C
  INGOT_ISA_AVX_VNNI = 4,     ///< AVX2 and the 256-bit VNNI of processors without AVX-512
  INGOT_ISA_AVX512_VNNI = 5,  ///< AVX-512 F, BW, VL, DQ, VNNI; not always AVX_VNNI too
} ingot_isa;
enum { INGOT_ISA_COUNT = 6 };

/// Whether this processor runs an instruction set. Asking can take microseconds: on a virtual machine the host answers.
bool ingot_isa_available(ingot_isa isa);
/// The fastest instruction set this processor runs.
ingot_isa ingot_isa_best(void);
/// `portable`, `neon`, `i8mm`, `avx2`, `avxvnni`, `avx512vnni`.
const char *ingot_isa_name(ingot_isa isa);

/// Worker threads that wait, spinning and then asleep, for `ingot_pool_run`.
typedef struct ingot_pool ingot_pool;

/// Starts a pool of `threads` in all, the caller of `ingot_pool_run` counted in.
/// `spins`: how many `pause` instructions a worker waits before it sleeps on its futex.
/// Returns NULL when the threads cannot be made.
ingot_pool *ingot_pool_create(int threads, int spins);
void ingot_pool_destroy(ingot_pool *pool);
int ingot_pool_threads(const ingot_pool *pool);
/// Wakes sleeping workers so that they spin when the first job of a forward arrives.
void ingot_pool_wake(ingot_pool *pool);

/// One piece of a job. `thread` is in 0..<threads and is this piece's alone while it runs.
typedef void (*ingot_job)(void *argument, int64_t chunk, int thread);

/// Runs `job` for every chunk in 0..<chunks, chunks handed out dynamically, and returns when all are done.
/// Runs on the caller alone when `pool` is NULL, `threads` is 1, or another thread holds the pool.
void ingot_pool_run(ingot_pool *pool, int threads, ingot_job job, void *argument, int64_t chunks);

/// Memory that the job after the next run will read from its start: threads that have finished the next run fetch
/// their part of it into their caches until a new run begins. Nothing is waited for.
void ingot_pool_fetch_after(ingot_pool *pool, const void *address, size_t bytes);

/// What a kernel needs besides its operands. `pool` may be NULL.
typedef struct ingot_context {
  ingot_pool *pool;
  int threads;         ///< at most this many of the pool's threads are used
  ingot_isa isa;
  void *scratch;       ///< 64-byte aligned; at least what the operation's `…_scratch_bytes` asks for
  size_t scratch_bytes;
} ingot_context;

#endif
