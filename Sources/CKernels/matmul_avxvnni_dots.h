/// The exact dots of one group with AVX-VNNI, shared by the kernels for few and for many rows.
#ifndef INGOT_MATMUL_AVXVNNI_DOTS_H
#define INGOT_MATMUL_AVXVNNI_DOTS_H

#include <immintrin.h>

#include "matmul_internal.h"

#ifndef TARGET  // Scripts/check_kernels.sh defines it without VNNI, which it emulates
#define TARGET __attribute__((target("avx2,fma,f16c,avxvnni")))
#endif
#define INLINE TARGET static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

enum { MAX_ROWS = 4, MAX_TILES = 4 };

/// How a kernel finds the unsigned bytes that VNNI multiplies with signed ones.
typedef enum packing { PACKED_INT4, PACKED_INT8, UNPACKED } packing;

INLINE __m256i load(const void *p) { return _mm256_loadu_si256(p); }
INLINE __m256 halves(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
INLINE __m256i splat(const void *p) {
  int32_t four;
  memcpy(&four, p, sizeof four);
  return _mm256_set1_epi32(four);
}
INLINE const activation_group *group_of(const uint8_t *groups, size_t stride, int row) {
  return (const activation_group *)(groups + (size_t)row * stride);
}

/// Four inputs of all rows with 32 · 2 weights.
INLINE void add_four(
    int rows, const int8_t *q, size_t stride, __m256i w0, __m256i w1, __m256i dots[MAX_ROWS][2]) {
  UNROLL for (int r = 0; r < rows; r++) {
    __m256i x = splat(q + r * stride);
    dots[r][0] = _mm256_dpbusd_avx_epi32(dots[r][0], w0, x);
    dots[r][1] = _mm256_dpbusd_avx_epi32(dots[r][1], w1, x);
  }
}

/// Dots of one group of one tile, as floats. They begin with what undoes the weights' offset, 8 in int4 and 128 in
/// int8 made unsigned, and with the bits of 1.5 · 2^23: a dot is below 2^22, so a subtraction makes it a float, on
/// a port that a conversion would not leave to the products.
INLINE void group_dots(
    const matmul_call *call, packing packing, int rows, int32_t group, const int8_t *q, size_t stride,
    const uint8_t *groups, const uint8_t *weights, __m256 out[MAX_ROWS][2]) {
  const __m256i low = _mm256_set1_epi8(15), sign = _mm256_set1_epi8(-128);
  const __m256 shift = _mm256_set1_ps(0x1.8p23f);
  ingot_format format = call->weight.format;
  __m256i dots[MAX_ROWS][2];
  UNROLL for (int r = 0; r < rows; r++) {
    __m256i offset = _mm256_setzero_si256();
    if (format != INGOT_I4M) offset = splat(&group_of(groups, stride, r)->minus_8);
    if (!format_is_int4(format)) offset = _mm256_slli_epi32(offset, 4);
    dots[r][0] = dots[r][1] = _mm256_add_epi32(offset, _mm256_castps_si256(shift));
  }
  for (int32_t block = 0; block < group; block += 32, q += 32) {
    UNROLL for (int i = 0; i < (packing == PACKED_INT4 ? 4 : 8); i++) {
      __m256i w0 = load(weights + 64 * i), w1 = load(weights + 64 * i + 32);
      if (packing == PACKED_INT8) w0 = _mm256_xor_si256(w0, sign), w1 = _mm256_xor_si256(w1, sign);
      if (packing != PACKED_INT4) {
        add_four(rows, q + 4 * i, stride, w0, w1, dots);
        continue;
      }
      add_four(rows, q + 4 * i, stride, _mm256_and_si256(w0, low), _mm256_and_si256(w1, low), dots);
      w0 = _mm256_and_si256(_mm256_srli_epi16(w0, 4), low), w1 = _mm256_and_si256(_mm256_srli_epi16(w1, 4), low);
      add_four(rows, q + 16 + 4 * i, stride, w0, w1, dots);
    }
    weights += packing == PACKED_INT4 ? 256 : 512;
  }
  UNROLL for (int r = 0; r < rows; r++)
    UNROLL for (int h = 0; h < 2; h++) out[r][h] = _mm256_sub_ps(_mm256_castsi256_ps(dots[r][h]), shift);
}

/// sums = sums + dots · (scale of the row · scales of the tile), then + sum of the row · minimums.
/// The sums of 16 outputs of each row are in memory: the dots need the registers.
INLINE void add_group(
    int rows, size_t stride, const uint8_t *groups, const __m256 scales[2], bool minimum, const __m256 minimums[2],
    __m256 dots[MAX_ROWS][2], float (*sums)[INGOT_TILE]) {
  UNROLL for (int r = 0; r < rows; r++) {
    __m256 d = _mm256_broadcast_ss(&group_of(groups, stride, r)->scale);
    UNROLL for (int h = 0; h < 2; h++) {
      __m256 s = _mm256_loadu_ps(sums[r] + 8 * h);
      s = _mm256_fmadd_ps(dots[r][h], _mm256_mul_ps(d, scales[h]), s);
      if (minimum) s = _mm256_fmadd_ps(_mm256_broadcast_ss(&group_of(groups, stride, r)->sum), minimums[h], s);
      _mm256_storeu_ps(sums[r] + 8 * h, s);
    }
  }
}

#endif
