/// Elementwise functions of dense arrays, gates and softmax, split over the pool.
#include <math.h>

#include "lanes/lanes.h"
#include "parallel.h"

enum { ELEMENTS_PER_CHUNK = 4096 };

typedef struct unary_job {
  const ingot_lanes *lanes;
  ingot_unary op;
  const float *x;
  float *y;
  int64_t count;
} unary_job;

static void unary_chunk(void *argument, int64_t chunk, int thread) {
  (void)thread;
  const unary_job *job = argument;
  int64_t start = chunk * ELEMENTS_PER_CHUNK, n = min_of(job->count - start, ELEMENTS_PER_CHUNK);
  const float *x = job->x + start;
  float *y = job->y + start;
  // The C library's functions are the same code whatever the instruction set of the lanes.
  if (job->op == INGOT_LOG)
    for (int64_t i = 0; i < n; i++) y[i] = logf(x[i]);
  else if (job->op == INGOT_COS)
    for (int64_t i = 0; i < n; i++) y[i] = cosf(x[i]);
  else if (job->op == INGOT_SIN)
    for (int64_t i = 0; i < n; i++) y[i] = sinf(x[i]);
  else job->lanes->unary(job->op, x, y, n);
}

void ingot_unary_op(const ingot_context *context, ingot_unary op, const float *x, float *y, int64_t count) {
  unary_job job = {ingot_lanes_of(context->isa), op, x, y, count};
  ingot_parallel(context, unary_chunk, &job, ceil_div(count, ELEMENTS_PER_CHUNK), count);
}

typedef struct gated_job {
  const ingot_lanes *lanes;
  ingot_unary activation;
  int64_t width, per_row;   ///< per_row: chunks of a row
  const float *gate, *up;
  int64_t gate_stride, up_stride;
  float *y;
  int64_t y_stride;
} gated_job;

static void gated_chunk(void *argument, int64_t chunk, int thread) {
  (void)thread;
  const gated_job *job = argument;
  int64_t row = chunk / job->per_row, start = chunk % job->per_row * ELEMENTS_PER_CHUNK;
  job->lanes->gated(
      job->activation, job->gate + row * job->gate_stride + start, job->up + row * job->up_stride + start,
      job->y + row * job->y_stride + start, min_of(job->width - start, ELEMENTS_PER_CHUNK));
}

void ingot_gated(
    const ingot_context *context, ingot_unary activation, int64_t rows, int64_t width, const float *gate,
    int64_t gate_stride, const float *up, int64_t up_stride, float *y, int64_t y_stride) {
  int64_t per_row = ceil_div(width, ELEMENTS_PER_CHUNK);
  gated_job job = {
    ingot_lanes_of(context->isa), activation, width, per_row, gate, up, gate_stride, up_stride, y, y_stride,
  };
  ingot_parallel(context, gated_chunk, &job, rows * per_row, rows * width);
}

typedef struct softmax_job {
  const ingot_lanes *lanes;
  int64_t rows, width, per_chunk;
  const float *x;
  float *y;
} softmax_job;

static void softmax_chunk(void *argument, int64_t chunk, int thread) {
  (void)thread;
  const softmax_job *job = argument;
  int64_t end = min_of((chunk + 1) * job->per_chunk, job->rows);
  for (int64_t row = chunk * job->per_chunk; row < end; row++)
    job->lanes->softmax(job->x + row * job->width, job->y + row * job->width, job->width);
}

void ingot_softmax(const ingot_context *context, int64_t rows, int64_t width, const float *x, float *y) {
  softmax_job job = {ingot_lanes_of(context->isa), rows, width, rows_per_chunk(width), x, y};
  ingot_parallel(context, softmax_chunk, &job, ceil_div(rows, job.per_chunk), rows * width);
}
