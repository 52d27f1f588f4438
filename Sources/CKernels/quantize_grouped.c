// Weights to groups of integers with the range that loses least. Sums run in eight lanes of plain vectors, which every
// compiler target has, in one order and without fused steps: all instruction sets give the same bits.
#include <math.h>
#include <string.h>

#include "include/ingot_convert.h"
#include "include/ingot_grouped.h"

#pragma STDC FP_CONTRACT OFF
#pragma clang diagnostic ignored "-Wpsabi"  // all functions of vectors are inlined

#define INLINE static inline __attribute__((always_inline))
#if defined(__x86_64__)
#define TARGET_AVX2 __attribute__((target("avx2")))
#endif

enum { LANES = 8, LONGEST = 128, NARROWEST = -4, WIDEST = 4 };
typedef float lanes __attribute__((vector_size(4 * LANES), aligned(4)));

/// 1.5 · 2^23: adding and subtracting it leaves the nearest integer, ties to even.
static const float rounding = 12582912.0f;

INLINE lanes all(float value) { return value - (lanes){0}; }
INLINE lanes at(const float *x) {
  lanes value;
  memcpy(&value, x, sizeof value);
  return value;
}
INLINE float total(lanes v) { return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7])); }

typedef struct sums {
  float q, qq, xq;
} sums;

/// Sums over the integers nearest to (x - low) · inverse within [first, last].
INLINE sums sums_body(const float *x, int count, float low, float inverse, float first, float last) {
  lanes q_sum = all(0), qq = all(0), xq = all(0);
  for (int i = 0; i < count; i += LANES) {
    lanes value = at(x + i), q = ((value - low) * inverse + rounding) - rounding;
    q = __builtin_elementwise_min(__builtin_elementwise_max(q, all(first)), all(last));
    q_sum += q;
    qq += q * q;
    xq += value * q;
  }
  return (sums){total(q_sum), total(qq), total(xq)};
}

static float as_half(float value, uint16_t *half) {
  ingot_f32_to_f16(&value, half, 1);
  ingot_f16_to_f32(half, &value, 1);
  return value;
}

typedef struct fit {
  float scale, minimum;
} fit;

/// w = d q with q in [-8, 7]: the largest weight is given to -8, a little less or a little more.
INLINE fit fit_symmetric(const float *x, int count, float largest) {
  fit best = {largest / -8.0f, 0};
  float most = -1;
  for (int step = NARROWEST; step <= WIDEST; step++) {
    sums s = sums_body(x, count, 0, (-8.0f + 0.2f * (float)step) / largest, -8, 7);
    // With the best scale for these integers, Σxq / Σq², the error is Σx² less this.
    float gain = s.qq > 0 ? s.xq * s.xq / s.qq : 0;
    if (gain > most) {
      most = gain;
      best.scale = s.xq / s.qq;
    }
  }
  return best;
}

/// w = d q + m with q in [0, 15].
INLINE fit fit_asymmetric(const float *x, int count, float low, float high) {
  lanes sum = all(0);
  for (int i = 0; i < count; i += LANES) sum += at(x + i);
  float n = (float)count, x_sum = total(sum), most = -1;
  fit best = {(high - low) / 15.0f, low};
  for (int step = NARROWEST; step <= WIDEST; step++) {
    // A narrower range is cut from both ends.
    float levels = 15.0f + 0.4f * (float)step, start = low + (high - low) * (0.5f - 7.5f / levels);
    sums s = sums_body(x, count, start, levels / (high - low), 0, 15);
    // Centred, so that the sums stay small beside what is compared.
    float spread = s.qq - s.q * s.q / n, shared = s.xq - x_sum * s.q / n;
    float gain = spread > 0 ? shared * shared / spread : 0;
    if (gain > most && spread > 0) {
      most = gain;
      best.scale = shared / spread;
      best.minimum = (x_sum - best.scale * s.q) / n;
    }
  }
  return best;
}

INLINE ingot_quantized quantize_body(
    ingot_grouped grouped, const float *x, int64_t groups, char *target) {
  int offset = grouped.bits == 4 && !grouped.minimum ? 8 : 0;
  int first = grouped.bits == 8 ? -128 : 0, last = grouped.bits == 8 ? 127 : 15;
  for (int64_t g = 0; g < groups; g++, x += grouped.group, target += ingot_grouped_bytes(grouped)) {
    float low = x[0], high = x[0], check = 0;
    for (int i = 0; i < grouped.group; i++) {
      low = x[i] < low ? x[i] : low;
      high = x[i] > high ? x[i] : high;
      check += x[i] - x[i];
    }
    if (check != 0) return INGOT_NOT_FINITE;  // NaN compares unequal, too
    float largest = -low > high ? low : high;
    fit found = {0, 0};
    if (grouped.minimum) {
      found.minimum = low;
      if (high > low)
        found = grouped.bits == 4 ? fit_asymmetric(x, grouped.group, low, high)
                                  : (fit){(high - low) / 255.0f, low + (high - low) * (128.0f / 255.0f)};
    } else if (largest != 0) {
      found.scale = grouped.bits == 4 ? fit_symmetric(x, grouped.group, largest).scale : fabsf(largest) / 127.0f;
    }
    uint16_t scale_half, minimum_half;
    float scale = as_half(found.scale, &scale_half), minimum = as_half(found.minimum, &minimum_half);
    if (isinf(scale) || isinf(minimum)) return INGOT_SCALE_TOO_LARGE;
    float inverse = scale != 0 ? 1.0f / scale : 0;
    if (isinf(inverse)) inverse = 0;
    int8_t q[LONGEST];
    for (int i = 0; i < grouped.group; i++) {
      float nearest = ((x[i] - minimum) * inverse + rounding) - rounding + (float)offset;
      nearest = nearest < (float)first ? (float)first : nearest;
      q[i] = (int8_t)(nearest > (float)last ? (float)last : nearest);
    }
    ingot_join_grouped(grouped, q, &scale_half, &minimum_half, 1, target);
  }
  return INGOT_QUANTIZED;
}

static ingot_quantized quantize_portable(
    ingot_grouped grouped, const float *x, int64_t groups, char *target) {
  return quantize_body(grouped, x, groups, target);
}
#if defined(__x86_64__)
TARGET_AVX2 static ingot_quantized quantize_avx2(
    ingot_grouped grouped, const float *x, int64_t groups, char *target) {
  return quantize_body(grouped, x, groups, target);
}
#endif

ingot_quantized ingot_quantize_grouped(
    ingot_isa isa, ingot_grouped grouped, const float *x, int64_t groups, void *target) {
#if defined(__x86_64__)
  if (isa >= INGOT_ISA_AVX2) return quantize_avx2(grouped, x, groups, target);
#endif
  (void)isa;
  return quantize_portable(grouped, x, groups, target);
}
