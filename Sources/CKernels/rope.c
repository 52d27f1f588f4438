/// Rotary embedding, tokens split over the pool.
#include "lanes/lanes.h"
#include "parallel.h"

typedef struct rope_job {
  const ingot_lanes *lanes;
  const ingot_rope_arguments *arguments;
  int64_t per_chunk;
} rope_job;

static void rope_chunk(void *argument, int64_t chunk, int thread) {
  (void)thread;
  const rope_job *job = argument;
  int64_t token = chunk * job->per_chunk;
  job->lanes->rope(job->arguments, token, min_of(token + job->per_chunk, job->arguments->tokens));
}

void ingot_rope(const ingot_context *context, const ingot_rope_arguments *arguments) {
  int64_t width = arguments->heads * arguments->head_dim;
  rope_job job = {ingot_lanes_of(context->isa), arguments, rows_per_chunk(width)};
  ingot_parallel(
      context, rope_chunk, &job, ceil_div(arguments->tokens, job.per_chunk), arguments->tokens * width);
}
