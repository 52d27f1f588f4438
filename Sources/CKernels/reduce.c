/// Reductions of the middle axis of [outer, axis, inner].
#include "lanes/lanes.h"
#include "parallel.h"

enum { COLUMNS_PER_CHUNK = 256 };

typedef struct reduce_job {
  const ingot_lanes *lanes;
  ingot_reduction op;
  int64_t outer, axis, inner, per_chunk, pieces;
  const float *x;
  float *y;
} reduce_job;

static void reduce_rows_chunk(void *argument, int64_t chunk, int thread) {
  (void)thread;
  const reduce_job *job = argument;
  int64_t end = min_of((chunk + 1) * job->per_chunk, job->outer);
  for (int64_t row = chunk * job->per_chunk; row < end; row++)
    job->y[row] = job->lanes->reduce_row(job->op, job->x + row * job->axis, job->axis);
}

static void reduce_columns_chunk(void *argument, int64_t chunk, int thread) {
  (void)thread;
  const reduce_job *job = argument;
  int64_t outer = chunk / job->pieces, column = chunk % job->pieces * COLUMNS_PER_CHUNK;
  job->lanes->reduce_columns(
      job->op, job->x + outer * job->axis * job->inner, job->axis, job->inner, column,
      min_of(column + COLUMNS_PER_CHUNK, job->inner), job->y + outer * job->inner);
}

void ingot_reduce(
    const ingot_context *context, ingot_reduction op, int64_t outer, int64_t axis, int64_t inner, const float *x,
    float *y) {
  reduce_job job = {
    ingot_lanes_of(context->isa), op, outer, axis, inner, rows_per_chunk(axis),
    ceil_div(inner, COLUMNS_PER_CHUNK), x, y,
  };
  int64_t elements = outer * axis * inner;
  // Neighbours along the axis are summed in lanes, columns each in the order of the axis.
  if (inner == 1) ingot_parallel(context, reduce_rows_chunk, &job, ceil_div(outer, job.per_chunk), elements);
  else ingot_parallel(context, reduce_columns_chunk, &job, outer * job.pieces, elements);
}
