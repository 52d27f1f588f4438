/// The general product of two activations: output tiles over the pool, each packing its own operands.
#include "lanes/lanes.h"
#include "parallel.h"

static const int64_t scratch_floats = GEMM_K * (GEMM_M + GEMM_N);

typedef struct gemm_job {
  const ingot_lanes *lanes;
  const ingot_gemm_arguments *arguments;
  int64_t rows, columns;   ///< of a tile
  int64_t row_tiles, column_tiles;
  float *scratch;
} gemm_job;

static void gemm_chunk(void *argument, int64_t chunk, int thread) {
  const gemm_job *job = argument;
  int64_t column = chunk % job->column_tiles * job->columns;
  int64_t row = chunk / job->column_tiles % job->row_tiles * job->rows;
  gemm_tile tile = {
    chunk / (job->column_tiles * job->row_tiles), row, min_of(job->arguments->m - row, job->rows),
    column, min_of(job->arguments->n - column, job->columns),
  };
  job->lanes->gemm_tile(job->arguments, &tile, job->scratch + thread * scratch_floats);
}

size_t ingot_gemm_scratch_bytes(int64_t m, int64_t n, int64_t k, int threads) {
  (void)m, (void)n, (void)k;
  return (size_t)(scratch_floats * threads) * sizeof(float);
}

void ingot_gemm(const ingot_context *context, const ingot_gemm_arguments *arguments) {
  const ingot_gemm_arguments *g = arguments;
  gemm_job job = {.lanes = ingot_lanes_of(context->isa), .arguments = g, .scratch = context->scratch};
  job.rows = GEMM_M;
  job.columns = GEMM_N;
  // Large tiles pack less, but every thread should have a few. The sizes do not change results.
  while (job.columns > 64 || job.rows > 60) {
    int64_t tiles = g->batch * ceil_div(g->m, job.rows) * ceil_div(g->n, job.columns);
    if (tiles >= 4 * context->threads) break;
    if (job.columns > 64 && job.columns >= job.rows) job.columns /= 2;
    else job.rows /= 2;
  }
  job.row_tiles = ceil_div(g->m, job.rows);
  job.column_tiles = ceil_div(g->n, job.columns);
  ingot_parallel(
      context, gemm_chunk, &job, g->batch * job.row_tiles * job.column_tiles,
      g->batch * g->m * g->n * (g->k / 16 + 1));
}
