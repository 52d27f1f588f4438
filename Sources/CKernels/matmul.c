/// Splits a matrix product over the pool and picks the kernels.
///
/// Integer formats first quantise the rows of x, in the same fork-join: the first chunks of the job quantise
/// blocks of rows, and a chunk of the product waits for its block. Chunks are handed out in ascending order, so
/// the block it waits for is done or running. Few rows are quantised by the caller before the fork.
#include <sched.h>
#include <stdatomic.h>

#include "matmul_internal.h"

enum {
  CHUNKS_PER_THREAD = 16,  ///< so that a thread that was held up leaves little behind
  INLINE_ROWS = 4,         ///< rows the caller quantises itself
  FORK_NANOSECONDS = 2500, CHUNK_NANOSECONDS = 500,
};

typedef struct matmul_job {
  matmul_call call;
  matmul_kernel kernel;
  quantize_kernel quantize;
  int64_t row_blocks, quantize_chunks;  ///< quantize_chunks is row_blocks or 0
  int64_t tiles, chunk_tiles, tile_chunks;
  _Atomic uint32_t *ready;              ///< [quantize_chunks]
} matmul_job;

void ingot_finish_tile(const matmul_call *call, int64_t row, int64_t tile, const float *dots) {
  const ingot_matmul_arguments *a = &call->arguments;
  int64_t first = tile * INGOT_TILE;
  int count = call->weight.n - first < INGOT_TILE ? (int)(call->weight.n - first) : INGOT_TILE;
  float values[INGOT_TILE];
  memcpy(values, dots, sizeof values);
  if (a->bias != NULL)
    for (int i = 0; i < count; i++) values[i] = values[i] + a->bias[first + i];
  if (a->residual != NULL)
    for (int i = 0; i < count; i++) values[i] = values[i] + a->residual[row * a->residual_stride + first + i];
  float *y = a->y + row * a->y_stride + first;
  if (count == INGOT_TILE) memcpy(y, values, sizeof values);
  else memcpy(y, values, (size_t)count * sizeof(float));
}

static void quantize_rows(const matmul_job *job, int64_t row, int64_t end) {
  const matmul_call *call = &job->call;
  const ingot_matmul_arguments *a = &call->arguments;
  for (; row < end; row++)
    job->quantize(
        a->x + row * a->x_stride, call->weight.k, call->weight.group, (int8_t *)call_row(call, row),
        (activation_group *)call_row_groups(call, row));
}

static void await(_Atomic uint32_t *ready) {
  for (int spins = 0; atomic_load_explicit(ready, memory_order_acquire) == 0; spins++) {
    if (spins < 1024) {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    } else {
      sched_yield();
    }
  }
}

static int64_t minimum_of(int64_t a, int64_t b) { return a < b ? a : b; }

static void run_chunk(void *argument, int64_t chunk, int thread) {
  (void)thread;
  matmul_job *job = argument;
  int64_t m = job->call.arguments.m;
  if (chunk < job->quantize_chunks) {
    quantize_rows(job, chunk * ROW_BLOCK, minimum_of(m, (chunk + 1) * ROW_BLOCK));
    atomic_store_explicit(&job->ready[chunk], 1, memory_order_release);
    return;
  }
  chunk -= job->quantize_chunks;
  int64_t block = chunk / job->tile_chunks, tile = chunk % job->tile_chunks * job->chunk_tiles;
  if (job->quantize_chunks != 0) await(&job->ready[block]);
  int64_t row = block * ROW_BLOCK;
  job->kernel(
      &job->call, row, minimum_of(m - row, ROW_BLOCK), tile, minimum_of(job->tiles - tile, job->chunk_tiles));
}

static int64_t row_blocks_of(int64_t m) { return (m + ROW_BLOCK - 1) / ROW_BLOCK; }

size_t ingot_matmul_scratch_bytes(ingot_format format, int64_t m, int64_t k, int32_t group, int threads) {
  (void)threads;
  if (format_is_float(format)) return 0;
  size_t flags = (size_t)round_up(row_blocks_of(m) * (int64_t)sizeof(uint32_t), 64);
  return flags + (size_t)m * activation_row_bytes(round_up(k, group), group);
}

static void choose_kernels(matmul_job *job, ingot_isa isa) {
  job->kernel = ingot_matmul_portable;
  job->quantize = ingot_quantize_row_portable;
#if defined(__x86_64__)
  switch (isa) {
    case INGOT_ISA_PORTABLE:
    case INGOT_ISA_NEON:
    case INGOT_ISA_I8MM: return;
    case INGOT_ISA_AVX2: job->kernel = ingot_matmul_avx2; break;
    case INGOT_ISA_AVX_VNNI: job->kernel = ingot_matmul_avxvnni; break;
    case INGOT_ISA_AVX512_VNNI: job->kernel = ingot_matmul_avx512; break;
  }
  job->quantize = ingot_quantize_row_avx2;
#elif defined(__aarch64__)
  switch (isa) {
    case INGOT_ISA_PORTABLE:
    case INGOT_ISA_AVX2:
    case INGOT_ISA_AVX_VNNI:
    case INGOT_ISA_AVX512_VNNI: return;
    case INGOT_ISA_NEON: job->kernel = ingot_matmul_neon; break;
    case INGOT_ISA_I8MM: job->kernel = ingot_matmul_i8mm; break;
  }
  job->quantize = ingot_quantize_row_neon;
#else
  (void)isa;
#endif
}

/// A rough time on one thread, to decide how far to split: bytes at 25 GB/s, or multiply-adds at 100 (integer)
/// or 40 (float) a nanosecond.
static int64_t estimate_nanoseconds(const matmul_job *job) {
  int64_t bytes = job->tiles * (int64_t)job->call.tile_bytes / 25;
  int64_t products = job->tiles * INGOT_TILE * job->call.padded_k * job->call.arguments.m;
  products /= format_is_float(job->call.weight.format) ? 40 : 100;
  return bytes > products ? bytes : products;
}

/// Sets the tiles of a chunk and returns the number of chunks.
static int64_t split(matmul_job *job, int threads) {
  int64_t m = job->call.arguments.m, unit = m < INLINE_ROWS ? 4 : 2;
  int64_t time = estimate_nanoseconds(job);
  job->row_blocks = row_blocks_of(m);
  job->chunk_tiles = job->tiles;
  if (threads > 1 && time >= FORK_NANOSECONDS) {
    int64_t chunks = minimum_of(time / CHUNK_NANOSECONDS, (int64_t)threads * CHUNKS_PER_THREAD);
    if (chunks < threads) chunks = threads;
    int64_t per_block = (chunks + job->row_blocks - 1) / job->row_blocks;
    job->chunk_tiles = round_up((job->tiles + per_block - 1) / per_block, unit);
  }
  job->tile_chunks = (job->tiles + job->chunk_tiles - 1) / job->chunk_tiles;
  return job->row_blocks * job->tile_chunks;
}

void ingot_matmul(const ingot_context *context, const ingot_matmul_arguments *arguments) {
  const ingot_weight *weight = arguments->weight;
  if (arguments->m <= 0 || weight->n <= 0) return;
  bool quantized = !format_is_float(weight->format);
  matmul_job job = {.call = {.arguments = *arguments, .weight = *weight}};
  matmul_call *call = &job.call;
  call->padded_k = quantized ? round_up(weight->k, weight->group) : weight->k;
  call->tile_bytes = ingot_tile_bytes(weight->format, weight->k, weight->group);
  job.tiles = (weight->n + INGOT_TILE - 1) / INGOT_TILE;
  choose_kernels(&job, context->isa);
  if (quantized) {
    call->groups = call->padded_k / weight->group;
    call->scale_bytes = tile_scale_bytes(weight->format, call->groups);
    call->row_bytes = activation_row_bytes(call->padded_k, weight->group);
    call->rows = context->scratch;
    if (context->scratch_bytes < (size_t)arguments->m * call->row_bytes) __builtin_trap();
  }
  int threads = context->pool == NULL ? 1 : context->threads;
  int64_t chunks = split(&job, threads);
  if (quantized && (chunks == 1 || arguments->m <= INLINE_ROWS)) {
    quantize_rows(&job, 0, arguments->m);
  } else if (quantized) {
    size_t flags = (size_t)round_up(job.row_blocks * (int64_t)sizeof(uint32_t), 64);
    if (context->scratch_bytes < flags + (size_t)arguments->m * call->row_bytes) __builtin_trap();
    job.quantize_chunks = job.row_blocks;
    job.ready = context->scratch;
    call->rows = (uint8_t *)context->scratch + flags;
    memset(context->scratch, 0, flags);
    chunks += job.quantize_chunks;
  }
  ingot_pool_run(context->pool, threads, run_chunk, &job, chunks);
}
