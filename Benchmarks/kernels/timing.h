/// What the kernels' benchmarks share: a clock, a typical time, and the machine's read bandwidth.
#ifndef BENCHMARKS_TIMING_H
#define BENCHMARKS_TIMING_H

#include <stdlib.h>
#include <time.h>

#include "ingot_context.h"

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}
/// The fast quarter's end: on a shared machine the rest measures the neighbours.
static double typical(double *times, int count) {
  qsort(times, (size_t)count, sizeof(double), ascending);
  return times[count / 4];
}

typedef struct reading {
  const uint64_t *data;
  size_t words;
  volatile uint64_t sink;
} reading;

static void read_chunk(void *argument, int64_t chunk, int thread) {
  reading *r = argument;
  const uint64_t *p = r->data + (size_t)chunk * r->words;
  uint64_t sums[32] = {0};
  for (size_t i = 0; i < r->words; i += 32)
    for (int j = 0; j < 32; j++) sums[j] += p[i + (size_t)j];
  for (int j = 1; j < 32; j++) sums[0] += sums[j];
  if (thread == 0) r->sink = sums[0];
}

/// Bytes a second of the fastest of some passes over `bytes` of memory.
static double read_limit(ingot_pool *pool, int threads, const void *memory, size_t bytes) {
  double times[15];
  reading r = {memory, (256 << 10) / 8, 0};
  for (int i = 0; i < 15; i++) {
    double start = now();
    ingot_pool_run(pool, threads, read_chunk, &r, (int64_t)(bytes / (256 << 10)));
    times[i] = now() - start;
  }
  typical(times, 15);
  return (double)bytes / times[0];
}

#endif
