/// Splits a matrix product over the pool and picks the kernels.
///
/// A chunk of the job is a stretch of tiles and a block of rows. Chunks with the same stretch follow each other, so
/// that its weights are read from memory for the first block of rows and from the L2 cache for the others. With one
/// block, which is decoding, stretches shrink towards the end (guided self-scheduling, Polychronopoulos and Kuck 1987):
/// long streams of memory first, then short ones that let the threads finish together. While the caller goes on to the
/// next product, the other threads fetch the weights that they will read there.
///
/// Integer formats first normalise, reorder and quantise the rows of x, in the same fork-join: the first chunks of the
/// job prepare blocks of rows, and a chunk of the product waits for the block it comes to. Chunks are handed out in
/// ascending order, so what it waits for is done or running. Few rows are prepared by the caller before the fork.
#include <sched.h>
#include <stdatomic.h>

#include "cache_sizes.h"
#include "lanes/lanes.h"
#include "matmul_internal.h"
#include "parallel.h"

enum {
  CHUNKS_PER_THREAD = 16,  ///< so that a thread that was held up leaves little behind
  MAX_STRETCHES = 1024,    ///< of tiles
  INLINE_ROWS = 4,         ///< rows the caller prepares itself
  GATE_TILES = 8,          ///< tiles of gate and of up that are computed before they are joined
  FORK_NANOSECONDS = 2500, CHUNK_NANOSECONDS = 500,
};

typedef struct matmul_job {
  matmul_call call;
  matmul_kernel kernel;
  quantize_kernel quantize;
  const ingot_lanes *lanes;
  int64_t row_blocks, prepare_chunks;   ///< prepare_chunks is row_blocks or 0
  int64_t tiles;                        ///< of y
  int64_t stretches;
  int32_t starts[MAX_STRETCHES + 1];    ///< the first tile of each stretch, and their end
  _Atomic uint32_t *ready;              ///< [prepare_chunks]
  float *normed, *gates;                ///< per thread [2][k], and [2][ROW_BLOCK][GATE_TILES * INGOT_TILE]
} matmul_job;

void ingot_finish_tile(const matmul_call *call, int64_t row, int64_t tile, const float *dots) {
  const ingot_matmul_arguments *a = &call->arguments;
  int64_t first = tile * INGOT_TILE;
  float *y = a->y + (row - call->y_row) * a->y_stride + (tile - call->y_tile) * INGOT_TILE;
  float values[INGOT_TILE];
  memcpy(values, dots, sizeof values);
  if (call->weight.n - first >= INGOT_TILE) {
    if (a->bias != NULL)
      for (int i = 0; i < INGOT_TILE; i++) values[i] = values[i] + a->bias[first + i];
    if (a->residual != NULL)
      for (int i = 0; i < INGOT_TILE; i++) values[i] = values[i] + a->residual[row * a->residual_stride + first + i];
    memcpy(y, values, sizeof values);
    return;
  }
  int count = (int)(call->weight.n - first);
  for (int i = 0; i < count; i++) {
    if (a->bias != NULL) values[i] = values[i] + a->bias[first + i];
    if (a->residual != NULL) values[i] = values[i] + a->residual[row * a->residual_stride + first + i];
    y[i] = values[i];
  }
}

static int64_t row_blocks_of(int64_t m) { return ceil_div(m, ROW_BLOCK); }
static int64_t gate_floats(void) { return (int64_t)2 * ROW_BLOCK * GATE_TILES * INGOT_TILE; }

static void prepare_rows(const matmul_job *job, int64_t row, int64_t end, int thread) {
  const matmul_call *call = &job->call;
  const ingot_matmul_arguments *a = &call->arguments;
  int64_t width = round_up(call->weight.k, INGOT_TILE);
  float *normed = job->normed + thread * 2 * width, *ordered = normed + width;
  for (; row < end; row++) {
    const float *x = a->x + row * a->x_stride;
    if (a->norm != NULL) {
      ingot_norm_arguments norm = *a->norm;
      norm.width = call->weight.k, norm.x = x, norm.y = normed, norm.addend = NULL;
      (a->norm_is_layer ? job->lanes->layer_norm : job->lanes->rms_norm)(&norm, 0, 1);
      x = normed;
    }
    if (a->x_order != NULL) {
      for (int64_t i = 0; i < call->weight.k; i++) ordered[i] = x[a->x_order[i]];
      x = ordered;
    }
    job->quantize(
        x, call->weight.k, call->weight.group, (int8_t *)call_row(call, row),
        (activation_group *)call_row_groups(call, row));
  }
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

static void fetch_rows(const matmul_call *call, int64_t row, int64_t rows) {
  const uint8_t *start = call->rows + (size_t)row * call->row_bytes;
  for (size_t i = 0; i < (size_t)rows * call->row_bytes; i += 64) __builtin_prefetch(start + i, 0, 2);
}

/// Both halves of the outputs by way of the thread's buffer, a few tiles at a time.
static void run_gated(
    const matmul_job *job, int64_t row, int64_t rows, int64_t tile, int64_t tiles, int thread) {
  const ingot_matmul_arguments *a = &job->call.arguments;
  matmul_call part = job->call;
  int64_t width = GATE_TILES * INGOT_TILE;
  float *halves[2] = {job->gates + thread * gate_floats(), job->gates + thread * gate_floats() + ROW_BLOCK * width};
  part.arguments.y_stride = width;
  part.y_row = row;
  for (int64_t end = tile + tiles; tile < end; tile += GATE_TILES) {
    int64_t count = min_of(end - tile, GATE_TILES);
    for (int half = 0; half < 2; half++) {
      part.arguments.y = halves[half];
      part.y_tile = tile + half * job->tiles;
      job->kernel(&part, row, rows, part.y_tile, count);
    }
    const float *gate = halves[a->gate_is_second != 0], *up = halves[a->gate_is_second == 0];
    float *y = a->y + row * a->y_stride + tile * INGOT_TILE;
    for (int64_t r = 0; r < rows; r++)
      job->lanes->gated(
          a->activation, gate + r * width, up + r * width, y + r * a->y_stride, count * INGOT_TILE);
  }
}

static void run_chunk(void *argument, int64_t chunk, int thread) {
  matmul_job *job = argument;
  int64_t m = job->call.arguments.m;
  if (chunk < job->prepare_chunks) {
    prepare_rows(job, chunk * ROW_BLOCK, min_of(m, (chunk + 1) * ROW_BLOCK), thread);
    atomic_store_explicit(&job->ready[chunk], 1, memory_order_release);
    return;
  }
  chunk -= job->prepare_chunks;
  int64_t block = chunk % job->row_blocks, stretch = chunk / job->row_blocks;
  int64_t tile = job->starts[stretch], tiles = job->starts[stretch + 1] - tile;
  int64_t row = block * ROW_BLOCK, rows = min_of(m - row, ROW_BLOCK);
  if (job->prepare_chunks != 0) {
    await(&job->ready[block]);
    // Another core may have written them; kernels read several rows at a time, streams too short to be foreseen.
    fetch_rows(&job->call, row, rows);
  }
  if (job->call.arguments.gated) run_gated(job, row, rows, tile, tiles, thread);
  else job->kernel(&job->call, row, rows, tile, tiles);
}

size_t ingot_matmul_scratch_bytes(ingot_format format, int64_t m, int64_t k, int32_t group, int threads) {
  size_t bytes = (size_t)(threads * gate_floats()) * sizeof(float);
  if (format_is_float(format)) return bytes;
  size_t flags = (size_t)round_up(row_blocks_of(m) * (int64_t)sizeof(uint32_t), 64);
  bytes += (size_t)(threads * 2 * round_up(k, INGOT_TILE)) * sizeof(float);
  return bytes + flags + (size_t)m * activation_row_bytes(round_up(k, group), group);
}

/// Gives the parts of the scratch memory their places.
static void place_scratch(matmul_job *job, const ingot_context *context, int threads) {
  matmul_call *call = &job->call;
  const ingot_weight *weight = &call->weight;
  int64_t m = call->arguments.m;
  if (!format_is_float(weight->format) || call->arguments.gated)
    if (context->scratch_bytes < ingot_matmul_scratch_bytes(weight->format, m, weight->k, weight->group, threads))
      __builtin_trap();
  job->gates = context->scratch;
  if (format_is_float(weight->format)) return;
  job->normed = job->gates + threads * gate_floats();
  job->ready = (_Atomic uint32_t *)(job->normed + threads * 2 * round_up(weight->k, INGOT_TILE));
  call->rows = (uint8_t *)job->ready + round_up(job->row_blocks * (int64_t)sizeof(uint32_t), 64);
}

static void choose_kernels(matmul_job *job, ingot_isa isa) {
  job->lanes = ingot_lanes_of(isa);
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
  int64_t tiles = ceil_div(job->call.weight.n, INGOT_TILE);
  int64_t bytes = tiles * (int64_t)job->call.tile_bytes / 25;
  int64_t products = tiles * INGOT_TILE * job->call.padded_k * job->call.arguments.m;
  products /= format_is_float(job->call.weight.format) ? 40 : 100;
  return bytes > products ? bytes : products;
}

/// Cuts the tiles into stretches of `tiles`.
static void cut_evenly(matmul_job *job, int64_t tiles) {
  for (int64_t start = 0; start < job->tiles; start += tiles) job->starts[job->stretches++] = (int32_t)start;
  job->starts[job->stretches] = (int32_t)job->tiles;
}

/// Cuts them into stretches of half of what is left for each thread, at least `least` tiles.
static void cut_guided(matmul_job *job, int threads, int64_t least) {
  for (int64_t start = 0; start < job->tiles;) {
    job->starts[job->stretches++] = (int32_t)start;
    int64_t share = (job->tiles - start) / (2 * threads) / least * least;
    start += share > least ? share : least;
  }
  job->starts[job->stretches] = (int32_t)job->tiles;
}

/// Sets the stretches of tiles and returns the number of chunks.
static int64_t split(matmul_job *job, int threads) {
  int64_t unit = job->call.arguments.m < INLINE_ROWS ? 4 : 2, blocks = job->row_blocks;
  int64_t time = estimate_nanoseconds(job), chunks = 1;
  if (threads > 1 && time >= FORK_NANOSECONDS) {
    chunks = min_of(time / CHUNK_NANOSECONDS, (int64_t)threads * CHUNKS_PER_THREAD);
    if (chunks < threads) chunks = threads;
  }
  int64_t tiles = round_up(ceil_div(job->tiles, min_of(ceil_div(chunks, blocks), MAX_STRETCHES / 2)), unit);
  if (blocks > 1) {
    // The stretch's weights should stay in half of the L2 cache.
    int64_t bytes = (int64_t)job->call.tile_bytes * (job->call.arguments.gated ? 2 : 1);
    int64_t kept = ingot_cache_bytes(2) / 2 / bytes / unit * unit;
    int64_t least = round_up(ceil_div(job->tiles, MAX_STRETCHES), unit);
    if (tiles > kept) tiles = kept > least ? kept : least;
  }
  if (blocks == 1 && chunks > 1) cut_guided(job, threads, tiles);
  else cut_evenly(job, tiles);
  return job->stretches * blocks;
}

void ingot_matmul(const ingot_context *context, const ingot_matmul_arguments *arguments) {
  const ingot_weight *weight = arguments->weight;
  if (arguments->m <= 0 || weight->n <= 0) return;
  bool quantized = !format_is_float(weight->format);
  if (((arguments->norm != NULL || arguments->x_order != NULL) && !quantized)
      || (arguments->gated && (weight->n % (2 * INGOT_TILE) != 0 || arguments->residual != NULL)))
    __builtin_trap();
  matmul_job job;
  job.call = (matmul_call){.arguments = *arguments, .weight = *weight};
  job.prepare_chunks = job.stretches = 0;
  matmul_call *call = &job.call;
  call->padded_k = quantized ? round_up(weight->k, weight->group) : weight->k;
  call->tile_bytes = ingot_tile_bytes(weight->format, weight->k, weight->group);
  if (quantized) {
    call->groups = call->padded_k / weight->group;
    call->scale_bytes = tile_scale_bytes(weight->format, call->groups);
    call->row_bytes = activation_row_bytes(call->padded_k, weight->group);
  }
  job.row_blocks = row_blocks_of(arguments->m);
  job.tiles = ceil_div(weight->n, INGOT_TILE) / (arguments->gated ? 2 : 1);
  choose_kernels(&job, context->isa);
  int threads = context->pool == NULL ? 1 : context->threads;
  int64_t chunks = split(&job, threads);
  place_scratch(&job, context, threads);
  if (quantized && (chunks == 1 || arguments->m <= INLINE_ROWS)) {
    prepare_rows(&job, 0, arguments->m, 0);
  } else if (quantized) {
    job.prepare_chunks = job.row_blocks;
    memset((void *)job.ready, 0, (size_t)job.row_blocks * sizeof(uint32_t));
    chunks += job.prepare_chunks;
  }
  if (arguments->m < INLINE_ROWS) ingot_pool_fetch_after(context->pool, arguments->next, arguments->next_bytes);
  ingot_pool_run(context->pool, threads, run_chunk, &job, chunks);
}
