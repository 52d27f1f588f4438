/// A fork-join pool for jobs of microseconds.
///
/// A run is published in one 64-bit ticket: the run's epoch (high half) and how many of its chunks are not yet
/// taken (low half). Taking a chunk is one compare-and-swap of the ticket, so a worker that comes late, because
/// its core was taken away, finds the epoch changed or nothing left and touches nothing: the caller waits only
/// for chunks that somebody has started.
///
/// The job's fields are written before the ticket (release) and next written only when every chunk is counted
/// in `done`. A worker reads them between loading the ticket (acquire) and swapping it: if the swap succeeds,
/// the run was still open, hence the fields are that run's.
#include "ingot_context.h"

#include "cache_sizes.h"

#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

/// Pauses a caller spins for its workers' last chunks before it lets others have the core.
enum { CALLER_SPINS = 4096 };
enum { CACHE_LINE = 64, STACK_BYTES = 1 << 20 };

typedef struct worker {
  ingot_pool *pool;
  int index;  ///< 1..<threads; the caller is 0
  pthread_t thread;
} worker;

struct ingot_pool {
  int threads, spins, started;
  worker *workers;
  atomic_bool held;  ///< a run is under way

  alignas(CACHE_LINE) _Atomic uint64_t ticket;
  alignas(CACHE_LINE) _Atomic int64_t done;  ///< chunks the workers have finished
  alignas(CACHE_LINE) _Atomic ingot_job job;
  void *_Atomic argument;
  _Atomic int64_t chunks;
  _Atomic int limit;  ///< threads that may take part
  const char *_Atomic fetch;  ///< memory to fetch after one run; a hint, so no order is kept
  _Atomic size_t fetch_bytes;
  _Atomic uint32_t fetch_epoch;  ///< that run's

  alignas(CACHE_LINE) _Atomic uint32_t signal;  ///< the futex word
  atomic_int sleepers;
  atomic_bool stopping;
#if !defined(__linux__)
  pthread_mutex_t mutex;
  pthread_cond_t condition;
#endif
};

static inline void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// Sleeps while `signal` is `seen`; may return early.
static void park(ingot_pool *pool, uint32_t seen) {
#if defined(__linux__)
  syscall(SYS_futex, &pool->signal, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
#else
  pthread_mutex_lock(&pool->mutex);
  while (atomic_load(&pool->signal) == seen) pthread_cond_wait(&pool->condition, &pool->mutex);
  pthread_mutex_unlock(&pool->mutex);
#endif
}

static void wake_all(ingot_pool *pool) {
#if defined(__linux__)
  atomic_fetch_add(&pool->signal, 1);
  syscall(SYS_futex, &pool->signal, FUTEX_WAKE_PRIVATE, pool->threads, NULL, NULL, 0);
#else
  pthread_mutex_lock(&pool->mutex);
  atomic_fetch_add(&pool->signal, 1);
  pthread_cond_broadcast(&pool->condition);
  pthread_mutex_unlock(&pool->mutex);
#endif
}

/// Takes and runs chunks until none is left; returns how many it ran.
static int64_t take_chunks(ingot_pool *pool, int thread) {
  int64_t count = 0;
  uint64_t ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
  while ((uint32_t)ticket != 0) {
    ingot_job job = atomic_load_explicit(&pool->job, memory_order_relaxed);
    void *argument = atomic_load_explicit(&pool->argument, memory_order_relaxed);
    int64_t chunks = atomic_load_explicit(&pool->chunks, memory_order_relaxed);
    if (thread >= atomic_load_explicit(&pool->limit, memory_order_relaxed)) break;
    if (!atomic_compare_exchange_weak_explicit(
            &pool->ticket, &ticket, ticket - 1, memory_order_acq_rel, memory_order_acquire))
      continue;
    job(argument, chunks - (int64_t)(uint32_t)ticket, thread);
    count++;
    ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
  }
  return count;
}

/// Spins, then sleeps, until the ticket's epoch is not `seen` or the pool stops; returns the epoch.
static uint32_t await_epoch(ingot_pool *pool, uint32_t seen) {
  for (;;) {
    uint32_t signal = atomic_load(&pool->signal);
    for (int i = 0; i <= pool->spins; i++) {
      uint32_t epoch = (uint32_t)(atomic_load_explicit(&pool->ticket, memory_order_acquire) >> 32);
      if (epoch != seen || atomic_load_explicit(&pool->stopping, memory_order_relaxed)) return epoch;
      relax();
    }
    // A wake during the spin asks for another spin, not for sleep: the futex word has moved then. The caller
    // publishes and then looks at `sleepers`, we raise it and then look at the ticket, all in one total order:
    // one of us sees the other.
    atomic_fetch_add(&pool->sleepers, 1);
    if ((uint32_t)(atomic_load(&pool->ticket) >> 32) == seen && !atomic_load(&pool->stopping))
      park(pool, signal);
    atomic_fetch_sub(&pool->sleepers, 1);
  }
}

/// Fetches the thread's part of the announced memory: what its first chunk of a guided schedule would be, as far as
/// its cache holds it. Addresses are never followed, so memory that has been freed does no harm.
static void fetch(ingot_pool *pool, int thread, uint32_t epoch) {
  const char *start = atomic_load_explicit(&pool->fetch, memory_order_relaxed);
  int64_t bytes = (int64_t)atomic_load_explicit(&pool->fetch_bytes, memory_order_relaxed);
  if (start == NULL || pool->spins == 0) return;
  if (atomic_load_explicit(&pool->fetch_epoch, memory_order_relaxed) != epoch) return;
  int64_t part = bytes / (2 * pool->threads), most = ingot_cache_bytes(2) / 4;
  start += thread * part;
  if (part > most) part = most;
  for (int64_t at = 0; at < part; at += CACHE_LINE) {
    if (at % 1024 == 0 && (uint32_t)(atomic_load_explicit(&pool->ticket, memory_order_relaxed) >> 32) != epoch) return;
    __builtin_prefetch(start + at, 0, 2);
  }
}

static void *work(void *argument) {
  worker *self = argument;
  ingot_pool *pool = self->pool;
  uint32_t seen = 0;
  for (;;) {
    seen = await_epoch(pool, seen);
    if (atomic_load(&pool->stopping)) return NULL;
    int64_t count = take_chunks(pool, self->index);
    if (count == 0) continue;
    atomic_fetch_add_explicit(&pool->done, count, memory_order_release);
    fetch(pool, self->index, seen);
  }
}

ingot_pool *ingot_pool_create(int threads, int spins) {
  if (threads < 1) return NULL;
  void *memory = NULL;
  if (posix_memalign(&memory, CACHE_LINE, sizeof(ingot_pool)) != 0) return NULL;
  ingot_pool *pool = memory;
  *pool = (ingot_pool){.threads = threads, .spins = spins};
  pool->workers = calloc((size_t)threads, sizeof(worker));
#if !defined(__linux__)
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->condition, NULL);
#endif
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  while (pool->workers != NULL && pool->started < threads - 1) {
    worker *next = &pool->workers[pool->started];
    *next = (worker){.pool = pool, .index = pool->started + 1};
    if (pthread_create(&next->thread, &attributes, work, next) != 0) break;
    pool->started++;
  }
  pthread_attr_destroy(&attributes);
  if (pool->workers == NULL || pool->started < threads - 1) {
    ingot_pool_destroy(pool);
    return NULL;
  }
  return pool;
}

void ingot_pool_destroy(ingot_pool *pool) {
  if (pool == NULL) return;
  atomic_store(&pool->stopping, true);
  wake_all(pool);
  for (int i = 0; i < pool->started; i++) pthread_join(pool->workers[i].thread, NULL);
#if !defined(__linux__)
  pthread_cond_destroy(&pool->condition);
  pthread_mutex_destroy(&pool->mutex);
#endif
  free(pool->workers);
  free(pool);
}

int ingot_pool_threads(const ingot_pool *pool) { return pool == NULL ? 1 : pool->threads; }

void ingot_pool_wake(ingot_pool *pool) {
  if (pool != NULL && pool->threads > 1) wake_all(pool);
}

void ingot_pool_fetch_after(ingot_pool *pool, const void *address, size_t bytes) {
  if (pool == NULL) return;
  atomic_store_explicit(&pool->fetch, address, memory_order_relaxed);
  atomic_store_explicit(&pool->fetch_bytes, bytes, memory_order_relaxed);
  uint32_t epoch = (uint32_t)(atomic_load_explicit(&pool->ticket, memory_order_relaxed) >> 32) + 1;
  atomic_store_explicit(&pool->fetch_epoch, epoch, memory_order_relaxed);
}

void ingot_pool_run(ingot_pool *pool, int threads, ingot_job job, void *argument, int64_t chunks) {
  bool alone = pool == NULL || threads <= 1 || pool->threads <= 1 || chunks <= 1 || chunks > UINT32_MAX;
  if (alone || atomic_exchange_explicit(&pool->held, true, memory_order_acquire)) {
    for (int64_t chunk = 0; chunk < chunks; chunk++) job(argument, chunk, 0);
    return;
  }
  atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
  atomic_store_explicit(&pool->job, job, memory_order_relaxed);
  atomic_store_explicit(&pool->argument, argument, memory_order_relaxed);
  atomic_store_explicit(&pool->chunks, chunks, memory_order_relaxed);
  atomic_store_explicit(&pool->limit, threads, memory_order_relaxed);
  uint64_t epoch = (atomic_load_explicit(&pool->ticket, memory_order_relaxed) >> 32) + 1;
  atomic_store(&pool->ticket, epoch << 32 | (uint64_t)chunks);
  if (atomic_load(&pool->sleepers) != 0) wake_all(pool);

  int64_t rest = chunks - take_chunks(pool, 0);
  for (int spins = 0; atomic_load_explicit(&pool->done, memory_order_acquire) != rest; spins++) {
    if (spins < CALLER_SPINS) relax();
    else sched_yield();
  }
  atomic_store_explicit(&pool->held, false, memory_order_release);
}
