// Weights to groups of integers with the range that loses least. Eight groups are searched side by side, one in each
// lane of plain vectors, which every compiler target has; sums run in one order and without fused steps, so that all
// instruction sets give the same bits.
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
typedef float lanes __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t words __attribute__((vector_size(4 * LANES), aligned(4)));

/// 1.5 · 2^23: a number well below 2^22 added to it leaves the nearest integer, ties to even, in the low bits.
static const float rounding = 12582912.0f;

INLINE lanes all(float value) { return value - (lanes){0}; }
INLINE lanes at(const float *x) {
  lanes value;
  memcpy(&value, x, sizeof value);
  return value;
}
/// `yes` where the mask's bits are set, otherwise `no`.
INLINE lanes choose(words mask, lanes yes, lanes no) { return (lanes)(((words)yes & mask) | ((words)no & ~mask)); }
INLINE lanes smaller(lanes a, lanes b) { return choose(a < b, a, b); }
INLINE lanes larger(lanes a, lanes b) { return choose(a > b, a, b); }

/// `rounding` and the integers nearest to numbers, within [first, last]. Their bits are compared, which have one order.
INLINE lanes rounded(lanes value, float first, float last) {
  words bits = (words)(value + rounding);
  bits = __builtin_elementwise_max(bits, (words)all(first + rounding));
  bits = __builtin_elementwise_min(bits, (words)all(last + rounding));
  return (lanes)bits;
}

/// Rows of 8 by 8 become columns.
INLINE void turn(lanes *m) {
  lanes t[LANES];
  for (int i = 0; i < LANES; i += 4) {
    lanes a = __builtin_shufflevector(m[i], m[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    lanes b = __builtin_shufflevector(m[i], m[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    lanes c = __builtin_shufflevector(m[i + 2], m[i + 3], 0, 8, 1, 9, 4, 12, 5, 13);
    lanes d = __builtin_shufflevector(m[i + 2], m[i + 3], 2, 10, 3, 11, 6, 14, 7, 15);
    t[i] = __builtin_shufflevector(a, c, 0, 1, 8, 9, 4, 5, 12, 13);
    t[i + 1] = __builtin_shufflevector(a, c, 2, 3, 10, 11, 6, 7, 14, 15);
    t[i + 2] = __builtin_shufflevector(b, d, 0, 1, 8, 9, 4, 5, 12, 13);
    t[i + 3] = __builtin_shufflevector(b, d, 2, 3, 10, 11, 6, 7, 14, 15);
  }
  for (int i = 0; i < 4; i++) {
    m[i] = __builtin_shufflevector(t[i], t[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    m[i + 4] = __builtin_shufflevector(t[i], t[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

typedef struct sums {
  lanes q, qq, xq;
} sums;

/// Sums over the integers nearest to (x - low) · inverse within [first, last].
INLINE sums sums_body(const lanes *x, int count, lanes low, lanes inverse, float first, float last) {
  sums s = {all(0), all(0), all(0)};
  for (int i = 0; i < count; i++) {
    lanes q = rounded((x[i] - low) * inverse, first, last) - rounding;
    s.q += q;
    s.qq += q * q;
    s.xq += x[i] * q;
  }
  return s;
}

typedef struct fit {
  lanes scale, minimum;
} fit;

/// w = d q with q in [-8, 7]: the largest weight is given to -8, a little less or a little more.
INLINE fit fit_symmetric(const lanes *x, int count, lanes largest) {
  fit best = {largest / -8.0f, all(0)};
  lanes most = all(-1);
  for (int step = NARROWEST; step <= WIDEST; step++) {
    sums s = sums_body(x, count, all(0), (-8.0f + 0.2f * (float)step) / largest, -8, 7);
    // With the best scale for these integers, Σxq / Σq², the error is Σx² less this.
    lanes scale = s.xq / s.qq, gain = s.xq * scale;
    words better = (gain > most) & (s.qq > 0);
    most = choose(better, gain, most);
    best.scale = choose(better, scale, best.scale);
  }
  return best;
}

/// w = d q + m with q in [0, 15].
INLINE fit fit_asymmetric(const lanes *x, int count, lanes low, lanes high) {
  lanes x_sum = all(0);
  for (int i = 0; i < count; i++) x_sum += x[i];
  lanes width = high - low, most = all(-1);
  float n = (float)count;
  fit best = {width / 15.0f, low};
  for (int step = NARROWEST; step <= WIDEST; step++) {
    // A narrower range is cut from both ends.
    float levels = 15.0f + 0.4f * (float)step;
    sums s = sums_body(x, count, low + width * (0.5f - 7.5f / levels), levels / width, 0, 15);
    // Centred, so that the sums stay small beside what is compared.
    lanes spread = s.qq - s.q * s.q / n, shared = s.xq - x_sum * s.q / n;
    lanes scale = shared / spread, gain = shared * scale;
    words better = (gain > most) & (spread > 0);
    most = choose(better, gain, most);
    best.scale = choose(better, scale, best.scale);
    best.minimum = choose(better, (x_sum - scale * s.q) / n, best.minimum);
  }
  return best;
}

/// The floats nearest to numbers that 16 bits hold, and their bits.
INLINE lanes as_halves(lanes value, uint16_t *halves) {
  float numbers[LANES];
  memcpy(numbers, &value, sizeof value);
  ingot_f32_to_f16(numbers, halves, LANES);
  ingot_f16_to_f32(halves, numbers, LANES);
  return at(numbers);
}

/// The least and largest integer, and what is added to them where they are stored.
typedef struct limits {
  float first, last;
  int32_t offset;
} limits;

INLINE limits limits_of(ingot_grouped grouped) {
  if (grouped.bits == 8) return (limits){-128, 127, 0};
  return grouped.minimum ? (limits){0, 15, 0} : (limits){-8, 7, 8};
}

/// Rounds the groups in the lanes; those from `groups` on are not written.
INLINE ingot_quantized quantize_lanes(ingot_grouped grouped, const lanes *x, int groups, char *target) {
  lanes low = x[0], high = x[0], check = all(0);
  for (int i = 0; i < grouped.group; i++) {
    low = smaller(x[i], low);
    high = larger(x[i], high);
    check += x[i] - x[i];
  }
  for (int l = 0; l < LANES; l++)
    if (check[l] != 0) return INGOT_NOT_FINITE;  // NaN compares unequal, too
  lanes largest = choose(-low > high, low, high);
  fit found = {all(0), all(0)};
  if (grouped.minimum) {
    lanes width = high - low;
    found = grouped.bits == 4 ? fit_asymmetric(x, grouped.group, low, high)
                              : (fit){width / 255.0f, low + width * (128.0f / 255.0f)};
    // What is too narrow for a scale is one number.
    found.scale = choose(width > 1e-30f, found.scale, all(0));
    found.minimum = choose(width > 1e-30f, found.minimum, low);
  } else {
    lanes magnitude = larger(largest, -largest);
    found.scale = grouped.bits == 4 ? fit_symmetric(x, grouped.group, largest).scale : magnitude / 127.0f;
    found.scale = choose(magnitude > 1e-30f, found.scale, all(0));
  }
  uint16_t scales[LANES], minimums[LANES];
  lanes scale = as_halves(found.scale, scales), minimum = as_halves(found.minimum, minimums);
  for (int l = 0; l < LANES; l++)
    if (!isfinite(scale[l]) || !isfinite(minimum[l])) return INGOT_SCALE_TOO_LARGE;
  lanes inverse = choose(scale != 0, 1.0f / scale, all(0));
  limits l = limits_of(grouped);
  int8_t q[LANES][LONGEST];
  for (int i = 0; i < grouped.group; i += 4) {
    words bytes = {0};
    for (int j = 0; j < 4; j++) {
      words integers = (words)rounded((x[i + j] - minimum) * inverse, l.first, l.last) + l.offset;
      bytes |= (integers & 255) << 8 * j;
    }
    for (int l = 0; l < LANES; l++) {
      int32_t four = bytes[l];
      memcpy(&q[l][i], &four, 4);
    }
  }
  for (int l = 0; l < groups; l++, target += ingot_grouped_bytes(grouped))
    ingot_join_grouped(grouped, q[l], scales + l, minimums + l, 1, target);
  return INGOT_QUANTIZED;
}

INLINE ingot_quantized quantize_body(ingot_grouped grouped, const float *x, int64_t groups, char *target) {
  lanes columns[LONGEST];
  for (int64_t g = 0; g < groups; g += LANES) {
    int count = groups - g < LANES ? (int)(groups - g) : LANES;
    for (int i = 0; i < grouped.group; i += LANES) {
      // A lane without a group gets the last one again.
      for (int l = 0; l < LANES; l++) columns[i + l] = at(x + (g + (l < count ? l : count - 1)) * grouped.group + i);
      turn(columns + i);
    }
    char *place = target + g * (int64_t)ingot_grouped_bytes(grouped);
    ingot_quantized status = quantize_lanes(grouped, columns, count, place);
    if (status != INGOT_QUANTIZED) return status;
  }
  return INGOT_QUANTIZED;
}

INLINE float total(lanes v) { return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7])); }

/// The scale of a row that all its groups share; `x` is its `count` vectors.
INLINE float scale_of_row(const lanes *x, int64_t count, int bits, float largest) {
  if (bits == 8) return fabsf(largest) / 127.0f;
  float best = largest / -8.0f, most = -1;
  for (int step = NARROWEST; step <= WIDEST; step++) {
    sums s = sums_body(x, (int)count, all(0), all((-8.0f + 0.2f * (float)step) / largest), -8, 7);
    float scale = total(s.xq) / total(s.qq), gain = total(s.xq) * scale;
    if (total(s.qq) > 0 && gain > most) (most = gain, best = scale);
  }
  return best;
}

INLINE ingot_quantized quantize_row_body(ingot_grouped grouped, const float *x, int64_t groups, char *target) {
  const lanes *vectors = (const lanes *)x;
  int64_t count = groups * grouped.group / LANES;
  lanes lows = all(0), highs = all(0), checks = all(0);
  for (int64_t i = 0; i < count; i++) {
    lows = smaller(vectors[i], lows);
    highs = larger(vectors[i], highs);
    checks += vectors[i] - vectors[i];
  }
  if (total(checks) != 0) return INGOT_NOT_FINITE;
  float low = 0, high = 0;
  for (int l = 0; l < LANES; l++) {
    low = lows[l] < low ? lows[l] : low;
    high = highs[l] > high ? highs[l] : high;
  }
  float largest = -low > high ? low : high;
  uint16_t halves[LANES], none = 0;
  float found = fabsf(largest) > 1e-30f ? scale_of_row(vectors, count, grouped.bits, largest) : 0;
  lanes scale = as_halves(all(found), halves);
  if (!isfinite(scale[0])) return INGOT_SCALE_TOO_LARGE;
  float inverse = scale[0] != 0 ? 1.0f / scale[0] : 0;
  limits l = limits_of(grouped);
  for (int64_t g = 0; g < groups; g++, target += ingot_grouped_bytes(grouped)) {
    int8_t q[LONGEST];
    for (int i = 0; i < grouped.group; i += LANES) {
      words integers = (words)rounded(at(x + g * grouped.group + i) * inverse, l.first, l.last) + l.offset;
      for (int j = 0; j < LANES; j++) q[i + j] = (int8_t)(integers[j] & 255);
    }
    ingot_join_grouped(grouped, q, halves, &none, 1, target);
  }
  return INGOT_QUANTIZED;
}

static ingot_quantized quantize_portable(
    ingot_grouped grouped, int one_scale, const float *x, int64_t groups, char *target) {
  return one_scale ? quantize_row_body(grouped, x, groups, target) : quantize_body(grouped, x, groups, target);
}
#if defined(__x86_64__)
TARGET_AVX2 static ingot_quantized quantize_avx2(
    ingot_grouped grouped, int one_scale, const float *x, int64_t groups, char *target) {
  return one_scale ? quantize_row_body(grouped, x, groups, target) : quantize_body(grouped, x, groups, target);
}
#endif

static ingot_quantized quantize(
    ingot_isa isa, ingot_grouped grouped, int one_scale, const float *x, int64_t groups, void *target) {
#if defined(__x86_64__)
  if (isa >= INGOT_ISA_AVX2) return quantize_avx2(grouped, one_scale, x, groups, target);
#endif
  (void)isa;
  return quantize_portable(grouped, one_scale, x, groups, target);
}

ingot_quantized ingot_quantize_grouped(
    ingot_isa isa, ingot_grouped grouped, const float *x, int64_t groups, void *target) {
  return quantize(isa, grouped, 0, x, groups, target);
}

ingot_quantized ingot_quantize_channel(
    ingot_isa isa, ingot_grouped grouped, const float *x, int64_t groups, void *target) {
  return quantize(isa, grouped, 1, x, groups, target);
}
