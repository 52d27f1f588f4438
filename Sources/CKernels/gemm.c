/// The general product of two activations: output tiles over the pool, each packing its own operands.
#include "lanes/lanes.h"
#include "parallel.h"

static const int64_t scratch_floats = GEMM_K * (GEMM_M + GEMM_N);

typedef struct gemm_job {
  const ingot_lanes *lanes;
  const ingot_gemm_arguments *arguments;
  int64_t row_tiles, column_tiles;
  float *scratch;
} gemm_job;

static void gemm_chunk(void *argument, int64_t chunk, int thread) {
  const gemm_job *job = argument;
  int64_t column = chunk % job->column_tiles, row = chunk / job->column_tiles % job->row_tiles;
  job->lanes->gemm_tile(
      job->arguments, chunk / (job->column_tiles * job->row_tiles), row * GEMM_M, column * GEMM_N,
      job->scratch + thread * scratch_floats);
}

size_t ingot_gemm_scratch_bytes(int64_t m, int64_t n, int64_t k, int threads) {
  (void)m, (void)n, (void)k;
  return (size_t)(scratch_floats * threads) * sizeof(float);
}

void ingot_gemm(const ingot_context *context, const ingot_gemm_arguments *arguments) {
  gemm_job job = {
    ingot_lanes_of(context->isa), arguments, ceil_div(arguments->m, GEMM_M), ceil_div(arguments->n, GEMM_N),
    context->scratch,
  };
  ingot_parallel(
      context, gemm_chunk, &job, arguments->batch * job.row_tiles * job.column_tiles,
      arguments->batch * arguments->m * arguments->n * (arguments->k / 16 + 1));
}
