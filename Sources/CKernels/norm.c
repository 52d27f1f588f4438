/// Norms over the last axis, rows split over the pool.
#include "lanes/lanes.h"
#include "parallel.h"

typedef struct norm_job {
  const ingot_norm_arguments *arguments;
  void (*rows)(const ingot_norm_arguments *, int64_t, int64_t);
  int64_t per_chunk;
} norm_job;

static void norm_chunk(void *argument, int64_t chunk, int thread) {
  (void)thread;
  const norm_job *job = argument;
  int64_t row = chunk * job->per_chunk;
  job->rows(job->arguments, row, min_of(row + job->per_chunk, job->arguments->rows));
}

static void norm_run(const ingot_context *context, norm_job job) {
  const ingot_norm_arguments *a = job.arguments;
  job.per_chunk = rows_per_chunk(a->width);
  ingot_parallel(context, norm_chunk, &job, ceil_div(a->rows, job.per_chunk), a->rows * a->width);
}

void ingot_rms_norm(const ingot_context *context, const ingot_norm_arguments *arguments) {
  norm_run(context, (norm_job){arguments, ingot_lanes_of(context->isa)->rms_norm, 0});
}

void ingot_layer_norm(const ingot_context *context, const ingot_norm_arguments *arguments) {
  norm_run(context, (norm_job){arguments, ingot_lanes_of(context->isa)->layer_norm, 0});
}
