/// Strided copies: axes that advance together are merged, the innermost is copied as a run.
#include <string.h>

#include "include/ingot_ops.h"
#include "parallel.h"

enum { MAXIMUM_RANK = 8 };

typedef struct copy_job {
  int rank;
  size_t size;
  int64_t dims[MAXIMUM_RANK], x_strides[MAXIMUM_RANK], y_strides[MAXIMUM_RANK];
  const char *x;
  char *y;
  int64_t runs, per_chunk;
} copy_job;

#define COPY_LOOP(TYPE) do { \
    const TYPE *from = (const TYPE *)x; \
    TYPE *to = (TYPE *)y; \
    for (int64_t i = 0; i < n; i++) to[i * y_stride] = from[i * x_stride]; \
  } while (0)

static void copy_run(size_t size, int64_t n, const char *x, int64_t x_stride, char *y, int64_t y_stride) {
  if (x_stride == 1 && y_stride == 1) {
    memcpy(y, x, (size_t)n * size);
    return;
  }
  switch (size) {
  case 1: COPY_LOOP(uint8_t); break;
  case 2: COPY_LOOP(uint16_t); break;
  case 4: COPY_LOOP(uint32_t); break;
  default: COPY_LOOP(uint64_t); break;
  }
}

static void copy_chunk(void *argument, int64_t chunk, int thread) {
  (void)thread;
  const copy_job *job = argument;
  int last = job->rank - 1;
  int64_t end = min_of((chunk + 1) * job->per_chunk, job->runs);
  for (int64_t run = chunk * job->per_chunk; run < end; run++) {
    int64_t index = run, x = 0, y = 0;
    for (int i = last - 1; i >= 0; i--) {
      x += index % job->dims[i] * job->x_strides[i];
      y += index % job->dims[i] * job->y_strides[i];
      index /= job->dims[i];
    }
    copy_run(
        job->size, job->dims[last], job->x + x * (int64_t)job->size, job->x_strides[last],
        job->y + y * (int64_t)job->size, job->y_strides[last]);
  }
}

void ingot_copy_strided(
    const ingot_context *context, int element_bytes, int rank, const int64_t *dims, const void *x,
    const int64_t *x_strides, void *y, const int64_t *y_strides) {
  copy_job job = {.rank = 1, .size = (size_t)element_bytes, .dims = {1}, .x = x, .y = y};
  int64_t count = 1;
  for (int i = 0; i < rank; i++) {
    count *= dims[i];
    if (dims[i] == 1) continue;
    int last = job.rank - 1;
    int merges = job.x_strides[last] == x_strides[i] * dims[i] && job.y_strides[last] == y_strides[i] * dims[i];
    if (job.dims[last] == 1) job.dims[last] = dims[i];
    else if (merges) job.dims[last] *= dims[i];
    else job.dims[last = job.rank++] = dims[i];
    job.x_strides[last] = x_strides[i];
    job.y_strides[last] = y_strides[i];
  }
  if (count == 0) return;
  int64_t width = job.dims[job.rank - 1];
  job.runs = count / width;
  job.per_chunk = rows_per_chunk(width);
  ingot_parallel(context, copy_chunk, &job, ceil_div(job.runs, job.per_chunk), count);
}
