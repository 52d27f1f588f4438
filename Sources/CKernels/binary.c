/// Broadcasting pairs: axes that advance together are merged, the last one is the vectorised run.
#include <math.h>

#include "lanes/lanes.h"
#include "parallel.h"

enum { MAXIMUM_RANK = 6, RUN = 4096 };

typedef struct binary_job {
  const ingot_lanes *lanes;
  ingot_binary op;
  int rank;
  int64_t dims[MAXIMUM_RANK], a_strides[MAXIMUM_RANK], b_strides[MAXIMUM_RANK];
  const float *a, *b;
  float *y;
  int64_t runs, pieces, per_chunk;   ///< runs along the last axis, pieces of a run, pieces of a chunk
} binary_job;

static void binary_piece(const binary_job *job, int64_t run, int64_t start) {
  int last = job->rank - 1;
  int64_t width = job->dims[last], a = start * job->a_strides[last], b = start * job->b_strides[last];
  int64_t index = run;
  for (int i = last - 1; i >= 0; i--) {
    a += index % job->dims[i] * job->a_strides[i];
    b += index % job->dims[i] * job->b_strides[i];
    index /= job->dims[i];
  }
  int64_t n = min_of(width - start, RUN);
  float *y = job->y + run * width + start;
  if (job->op == INGOT_POW)
    for (int64_t i = 0; i < n; i++)
      y[i] = powf(job->a[a + i * job->a_strides[last]], job->b[b + i * job->b_strides[last]]);
  else job->lanes->binary(job->op, job->a + a, job->a_strides[last], job->b + b, job->b_strides[last], y, n);
}

static void binary_chunk(void *argument, int64_t chunk, int thread) {
  (void)thread;
  const binary_job *job = argument;
  int64_t end = min_of((chunk + 1) * job->per_chunk, job->runs * job->pieces);
  for (int64_t i = chunk * job->per_chunk; i < end; i++)
    binary_piece(job, i / job->pieces, i % job->pieces * RUN);
}

void ingot_binary_op(
    const ingot_context *context, ingot_binary op, int rank, const int64_t *dims, const float *a,
    const int64_t *a_strides, const float *b, const int64_t *b_strides, float *y) {
  binary_job job = {.lanes = ingot_lanes_of(context->isa), .op = op, .rank = 1, .dims = {1}, .a = a, .b = b, .y = y};
  int64_t count = 1;
  for (int i = 0; i < rank; i++) {
    count *= dims[i];
    if (dims[i] == 1) continue;
    int last = job.rank - 1;
    if (job.dims[last] == 1) {
      // Nothing there yet but the initial axis of one.
    } else if (job.a_strides[last] == a_strides[i] * dims[i] && job.b_strides[last] == b_strides[i] * dims[i]) {
      job.dims[last] *= dims[i];
      job.a_strides[last] = a_strides[i];
      job.b_strides[last] = b_strides[i];
      continue;
    } else last = job.rank++;
    job.dims[last] = dims[i];
    job.a_strides[last] = a_strides[i];
    job.b_strides[last] = b_strides[i];
  }
  if (count == 0) return;
  int64_t width = job.dims[job.rank - 1];
  job.runs = count / width;
  job.pieces = ceil_div(width, RUN);
  job.per_chunk = rows_per_chunk(width);
  ingot_parallel(context, binary_chunk, &job, ceil_div(job.runs * job.pieces, job.per_chunk), count);
}
