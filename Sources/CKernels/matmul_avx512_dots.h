/// The exact dots of one group with AVX-512 VNNI, shared by the kernels for few and for many rows.
#ifndef INGOT_MATMUL_AVX512_DOTS_H
#define INGOT_MATMUL_AVX512_DOTS_H

#include <immintrin.h>

#include "matmul_internal.h"

#ifndef TARGET  // Scripts/check_kernels.sh defines it empty
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))
#endif
#define INLINE TARGET static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

enum { MAX_ROWS = 4, MAX_TILES = 4 };

/// How a kernel finds the unsigned bytes that VNNI multiplies with signed ones.
typedef enum packing { PACKED_INT4, PACKED_INT8, UNPACKED } packing;

INLINE __m512i splat(const void *p) {
  int32_t four;
  memcpy(&four, p, sizeof four);
  return _mm512_set1_epi32(four);
}

/// Four inputs of all rows with 64 weights of every tile.
INLINE void add_four(
    int rows, int tiles, const int8_t *q, size_t stride, const __m512i *w, __m512i dots[MAX_ROWS][MAX_TILES]) {
  UNROLL for (int r = 0; r < rows; r++) {
    __m512i x = splat(q + r * stride);
    UNROLL for (int t = 0; t < tiles; t++) dots[r][t] = _mm512_dpbusd_epi32(dots[r][t], w[t], x);
  }
}

/// Dots of one group. They begin with what undoes the weights' offset: 8 in int4, 128 in int8 made unsigned.
INLINE void group_dots(
    const matmul_call *call, packing packing, int rows, int tiles, int32_t group, const int8_t *q, size_t stride,
    const uint8_t *groups, const uint8_t *weights, size_t tile_step, __m512i dots[MAX_ROWS][MAX_TILES]) {
  const __m512i low = _mm512_set1_epi8(15), sign = _mm512_set1_epi8(-128);
  ingot_format format = call->weight.format;
  UNROLL for (int r = 0; r < rows; r++) {
    __m512i offset = _mm512_setzero_si512();
    if (format != INGOT_I4M) offset = splat(&((const activation_group *)(groups + r * stride))->minus_8);
    if (!format_is_int4(format)) offset = _mm512_slli_epi32(offset, 4);
    UNROLL for (int t = 0; t < tiles; t++) dots[r][t] = offset;
  }
  for (int32_t block = 0; block < group; block += 32, q += 32) {
    UNROLL for (int i = 0; i < (packing == PACKED_INT4 ? 4 : 8); i++) {
      __m512i w[MAX_TILES], high[MAX_TILES];
      UNROLL for (int t = 0; t < tiles; t++) {
        w[t] = _mm512_loadu_si512(weights + t * tile_step + 64 * i);
        if (packing == PACKED_INT8) w[t] = _mm512_xor_si512(w[t], sign);
        if (packing != PACKED_INT4) continue;
        high[t] = _mm512_and_si512(_mm512_srli_epi16(w[t], 4), low);
        w[t] = _mm512_and_si512(w[t], low);
      }
      add_four(rows, tiles, q + 4 * i, stride, w, dots);
      if (packing == PACKED_INT4) add_four(rows, tiles, q + 16 + 4 * i, stride, high, dots);
    }
    weights += packing == PACKED_INT4 ? 256 : 512;
  }
}

/// sums = sums + dots · (scale of the row · scales of the tile), then + sum of the row · minimums.
INLINE void add_group(
    int rows, int tile, size_t stride, const uint8_t *groups, __m512 scales, bool minimum, __m512 minimums,
    __m512i dots[MAX_ROWS][MAX_TILES], __m512 sums[MAX_ROWS][MAX_TILES]) {
  UNROLL for (int r = 0; r < rows; r++) {
    const activation_group *a = (const activation_group *)(groups + r * stride);
    __m512 d = _mm512_mul_ps(_mm512_set1_ps(a->scale), scales);
    sums[r][tile] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots[r][tile]), d, sums[r][tile]);
    if (minimum) sums[r][tile] = _mm512_fmadd_ps(_mm512_set1_ps(a->sum), minimums, sums[r][tile]);
  }
}

#endif
