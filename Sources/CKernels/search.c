// The inner loops of the search for scales and limits of weights. Plain vectors of eight lanes in one order and without
// fused steps: all instruction sets give the same bits.
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "include/ingot_ops.h"
#include "include/ingot_search.h"
#include "parallel.h"

#pragma STDC FP_CONTRACT OFF
#pragma clang diagnostic ignored "-Wpsabi"  // all functions of vectors are inlined

#define INLINE static inline __attribute__((always_inline))
#if defined(__x86_64__)
#define TARGET_AVX2 __attribute__((target("avx2")))
#endif

// ABREAST forms are computed at once: their sums and what enters them fill AVX2's registers.
enum { LANES = 8, LONGEST = 128, GROUP_BYTES = 4 + LONGEST, ROWS = 16, ABREAST = 10 };
typedef float lanes __attribute__((vector_size(4 * LANES), aligned(4)));

INLINE lanes all(float value) { return value - (lanes){0}; }
INLINE lanes at(const float *x) {
  lanes value;
  memcpy(&value, x, sizeof value);
  return value;
}
INLINE void put(float *x, lanes value) { memcpy(x, &value, sizeof value); }
INLINE float total(lanes v) { return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7])); }

typedef struct search_job {
  const ingot_weight_rows *rows;
  ingot_isa isa;
  float *differences;
  const float *moments;
  int steps, candidates;
  uint8_t *shrinks;
  atomic_int status;
} search_job;

/// What up to ABREAST groups, one after another, are rounded to. Together, since the kernel takes eight at a time.
INLINE bool round_groups(search_job *job, const float *x, int count, float *rounded) {
  char bytes[ABREAST * GROUP_BYTES];
  ingot_quantized status = ingot_quantize_grouped(job->isa, job->rows->grouped, x, count, bytes);
  if (status != INGOT_QUANTIZED) {
    atomic_store_explicit(&job->status, (int)status, memory_order_relaxed);
    return false;
  }
  ingot_dequantize_grouped(job->rows->grouped, bytes, count, rounded);
  return true;
}

INLINE void differences_body(search_job *job, int64_t chunk) {
  const ingot_weight_rows *w = job->rows;
  int64_t last = min_of((chunk + 1) * ROWS, w->rows), step = LANES * w->grouped.group;
  float scaled[LANES * LONGEST], rounded[LANES * LONGEST];
  for (int64_t row = chunk * ROWS; row < last; row++)
    for (int64_t start = 0; start < w->width; start += step) {
      int64_t count = min_of(w->width - start, step);
      const float *from = w->weights + row * w->width + start, *scales = w->scales == NULL ? NULL : w->scales + start;
      float *to = job->differences + row * w->width + start;
      if (scales != NULL)
        for (int64_t i = 0; i < count; i += LANES) put(scaled + i, at(from + i) * at(scales + i));
      if (!round_groups(job, scales == NULL ? from : scaled, (int)(count / w->grouped.group), rounded)) return;
      for (int64_t i = 0; i < count; i += LANES)
        put(to + i, (scales == NULL ? at(rounded + i) : at(rounded + i) / at(scales + i)) - at(from + i));
    }
}

/// The losses of up to ABREAST differences, [ABREAST, LONGEST].
INLINE void forms_body(const float *d, const float *moments, int group, float *forms) {
  lanes sums[ABREAST];
  for (int c = 0; c < ABREAST; c++) sums[c] = all(0);
  for (int column = 0; column < group; column += LANES) {
    lanes products[ABREAST];
    for (int c = 0; c < ABREAST; c++) products[c] = all(0);
    for (int row = 0; row < group; row++) {
      lanes m = at(moments + row * group + column);
      _Pragma("clang loop unroll(full)") for (int c = 0; c < ABREAST; c++)
        products[c] += d[c * LONGEST + row] * m;
    }
    for (int c = 0; c < ABREAST; c++) sums[c] += products[c] * at(d + c * LONGEST + column);
  }
  for (int c = 0; c < ABREAST; c++) forms[c] = total(sums[c]);
}

INLINE void limits_body(search_job *job, int64_t chunk) {
  const ingot_weight_rows *w = job->rows;
  int group = w->grouped.group;
  int64_t groups = w->width / group, part = chunk % groups, first = chunk / groups * ROWS;
  int64_t last = min_of(first + ROWS, w->rows);
  const float *moments = job->moments + part * group * group;
  float scaled[LONGEST], limited[ABREAST * LONGEST], rounded[ABREAST * LONGEST];
  float d[ABREAST * LONGEST], forms[ABREAST];
  for (int64_t row = first; row < last; row++) {
    const float *from = w->weights + row * w->width + part * group;
    float largest = 0, least = INFINITY;
    for (int i = 0; i < group; i++) {
      scaled[i] = w->scales != NULL ? from[i] * w->scales[part * group + i] : from[i];
      float size = fabsf(scaled[i]);
      largest = size > largest ? size : largest;
    }
    uint8_t best = 0;
    for (int base = 0; base < job->candidates; base += ABREAST) {
      int count = job->candidates - base < ABREAST ? job->candidates - base : ABREAST;
      memset(d, 0, sizeof d);
      for (int c = 0; c < count; c++) {
        float limit = largest * (1 - (float)(base + c) / (float)job->steps);
        // The first leaves the weights as they are, also those that are NaN.
        if (base + c == 0) limit = INFINITY;
        for (int i = 0; i < group; i += LANES) {
          lanes value = at(scaled + i);
          if (limit < INFINITY)
            value = __builtin_elementwise_max(__builtin_elementwise_min(value, all(limit)), all(-limit));
          put(limited + c * group + i, value);
        }
      }
      if (!round_groups(job, limited, count, rounded)) return;
      for (int c = 0; c < count; c++)
        for (int i = 0; i < group; i += LANES)
          put(d + c * LONGEST + i, at(rounded + c * group + i) - at(scaled + i));
      forms_body(d, moments, group, forms);
      for (int c = 0; c < count; c++)
        if (forms[c] < least) {
          least = forms[c];
          best = (uint8_t)(base + c);
        }
    }
    job->shrinks[row * groups + part] = best;
  }
}

static void differences_portable(void *job, int64_t chunk, int thread) {
  (void)thread;
  differences_body(job, chunk);
}
static void limits_portable(void *job, int64_t chunk, int thread) {
  (void)thread;
  limits_body(job, chunk);
}
#if defined(__x86_64__)
TARGET_AVX2 static void differences_avx2(void *job, int64_t chunk, int thread) {
  (void)thread;
  differences_body(job, chunk);
}
TARGET_AVX2 static void limits_avx2(void *job, int64_t chunk, int thread) {
  (void)thread;
  limits_body(job, chunk);
}
#endif

ingot_quantized ingot_rounding_differences(
    const ingot_context *context, const ingot_weight_rows *weights, float *differences) {
  search_job job = {.rows = weights, .isa = context->isa, .differences = differences};
  ingot_job run = differences_portable;
#if defined(__x86_64__)
  if (context->isa >= INGOT_ISA_AVX2) run = differences_avx2;
#endif
  ingot_parallel(context, run, &job, ceil_div(weights->rows, ROWS), weights->rows * weights->width);
  return (ingot_quantized)atomic_load(&job.status);
}

ingot_quantized ingot_search_limits(
    const ingot_context *context, const ingot_weight_rows *weights, const float *moments, int steps, int candidates,
    uint8_t *shrinks) {
  search_job job = {
    .rows = weights, .isa = context->isa, .moments = moments, .steps = steps, .candidates = candidates,
    .shrinks = shrinks};
  ingot_job run = limits_portable;
#if defined(__x86_64__)
  if (context->isa >= INGOT_ISA_AVX2) run = limits_avx2;
#endif
  int64_t chunks = ceil_div(weights->rows, ROWS) * (weights->width / weights->grouped.group);
  ingot_parallel(context, run, &job, chunks, weights->rows * weights->width * candidates);
  return (ingot_quantized)atomic_load(&job.status);
}

static size_t product_bytes(int64_t count, int64_t rows) {
  return ((size_t)(count * rows) * sizeof(float) + 63) / 64 * 64;
}

size_t ingot_product_energy_bytes(int64_t count, int64_t rows, int64_t width, int threads) {
  return product_bytes(count, rows) + ingot_gemm_scratch_bytes(count, rows, width, threads);
}

double ingot_product_energy(
    const ingot_context *context, const float *x, int64_t count, const float *d, int64_t rows, int64_t width) {
  float *y = context->scratch;
  size_t bytes = product_bytes(count, rows);
  ingot_context rest = *context;
  rest.scratch = (char *)context->scratch + bytes;
  rest.scratch_bytes = context->scratch_bytes - bytes;
  ingot_gemm_arguments product = {
    .batch = 1, .m = count, .n = rows, .k = width, .a = x, .a_row = width, .a_column = 1, .b = d, .b_row = 1,
    .b_column = width, .y = y, .y_row = rows};
  ingot_gemm(&rest, &product);
  double sum = 0;
  // Short sums in float, which vectorise, and theirs in double.
  for (int64_t start = 0, end; start < count * rows; start = end) {
    end = min_of(start + 256, count * rows);
    lanes part = all(0);
    int64_t i = start;
    for (; i + LANES <= end; i += LANES) part += at(y + i) * at(y + i);
    float rest_of = 0;
    for (; i < end; i++) rest_of += y[i] * y[i];
    sum += (double)(total(part) + rest_of);
  }
  return sum;
}
