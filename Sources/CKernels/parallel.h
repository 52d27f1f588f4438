/// Splitting of a kernel's work over the pool.
#ifndef INGOT_PARALLEL_H
#define INGOT_PARALLEL_H

#include "include/ingot_context.h"

/// Elements below which a fork-join (about a microsecond) costs more than it saves.
enum { PARALLEL_ELEMENTS = 16384 };

/// Runs `job` over the chunks, on the caller alone when all of them together touch few elements.
static inline void ingot_parallel(
    const ingot_context *context, ingot_job job, void *argument, int64_t chunks, int64_t elements) {
  int threads = elements < PARALLEL_ELEMENTS || chunks < 2 ? 1 : context->threads;
  if (threads > 1 && context->pool != NULL) {
    ingot_pool_run(context->pool, threads, job, argument, chunks);
    return;
  }
  for (int64_t chunk = 0; chunk < chunks; chunk++) job(argument, chunk, 0);
}

static inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline int64_t min_of(int64_t a, int64_t b) { return a < b ? a : b; }

/// Rows per chunk so that a chunk has a few thousand elements.
static inline int64_t rows_per_chunk(int64_t width) {
  int64_t rows = 4096 / (width > 0 ? width : 1);
  return rows > 0 ? rows : 1;
}

#endif
