/// The matrix products with AVX2, FMA and F16C: a tile is two vectors of 8 outputs.
///
/// Integer formats take up to 4 rows by 1 tile at a time: 8 sums in registers, weights unpacked once for all
/// rows. Float formats keep 8 to 12 chains of multiply-adds going, over rows or, for few rows, over tiles.
#include "matmul_internal.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma,f16c")))
#define INLINE TARGET static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

enum { MAX_ROWS = 4 };

/// Four bytes of a row, for all lanes.
INLINE __m256i splat(const int8_t *q) {
  int32_t four;
  memcpy(&four, q, sizeof four);
  return _mm256_set1_epi32(four);
}

INLINE __m256i load(const void *p) { return _mm256_loadu_si256(p); }

/// Adds the exact dots of one group of int4. Sixteen products of 15 · 127 fit 16 bits, so widening waits
/// until a block of 32 inputs is summed.
INLINE void add_int4(
    int rows, const int8_t *q, size_t stride, int32_t group, const uint8_t *weights, __m256i dots[][2]) {
  const __m256i low = _mm256_set1_epi8(15), ones = _mm256_set1_epi16(1);
  for (int32_t block = 0; block < group; block += 32, q += 32, weights += 256) {
    __m256i sums[MAX_ROWS][2];
    UNROLL for (int i = 0; i < 4; i++) {
      UNROLL for (int high = 0; high < 2; high++) {
        __m256i w0 = load(weights + 64 * i), w1 = load(weights + 64 * i + 32);
        if (high) w0 = _mm256_srli_epi16(w0, 4), w1 = _mm256_srli_epi16(w1, 4);
        w0 = _mm256_and_si256(w0, low), w1 = _mm256_and_si256(w1, low);
        UNROLL for (int r = 0; r < rows; r++) {
          __m256i x = splat(q + r * stride + 16 * high + 4 * i);
          __m256i p0 = _mm256_maddubs_epi16(w0, x), p1 = _mm256_maddubs_epi16(w1, x);
          bool first = i == 0 && high == 0;
          sums[r][0] = first ? p0 : _mm256_add_epi16(sums[r][0], p0);
          sums[r][1] = first ? p1 : _mm256_add_epi16(sums[r][1], p1);
        }
      }
    }
    UNROLL for (int r = 0; r < rows; r++) {
      dots[r][0] = _mm256_add_epi32(dots[r][0], _mm256_madd_epi16(sums[r][0], ones));
      dots[r][1] = _mm256_add_epi32(dots[r][1], _mm256_madd_epi16(sums[r][1], ones));
    }
  }
}

/// The same for int8: |w| as unsigned times x with the sign of w. Two products of 128 · 127 fit 16 bits.
INLINE void add_int8(
    int rows, const int8_t *q, size_t stride, int32_t group, const uint8_t *weights, __m256i dots[][2]) {
  const __m256i ones = _mm256_set1_epi16(1);
  for (int32_t i = 0; i < group; i += 4, q += 4, weights += 64) {
    __m256i w0 = load(weights), w1 = load(weights + 32);
    __m256i u0 = _mm256_abs_epi8(w0), u1 = _mm256_abs_epi8(w1);
    UNROLL for (int r = 0; r < rows; r++) {
      __m256i x = splat(q + r * stride);
      __m256i p0 = _mm256_maddubs_epi16(u0, _mm256_sign_epi8(x, w0));
      __m256i p1 = _mm256_maddubs_epi16(u1, _mm256_sign_epi8(x, w1));
      dots[r][0] = _mm256_add_epi32(dots[r][0], _mm256_madd_epi16(p0, ones));
      dots[r][1] = _mm256_add_epi32(dots[r][1], _mm256_madd_epi16(p1, ones));
    }
  }
}

INLINE __m256 halves(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }

INLINE void integer_block(
    const matmul_call *call, bool int4, int rows, int32_t group, int64_t row, int64_t tile) {
  bool minimum = format_has_minimum(call->weight.format), offset = call->weight.format == INGOT_I4;
  size_t stride = call->row_bytes, weight_bytes = (size_t)group * (int4 ? INGOT_TILE / 2 : INGOT_TILE);
  const int8_t *q = call_row(call, row);
  const uint8_t *groups = (const uint8_t *)call_row_groups(call, row);
  const uint16_t *scales = (const uint16_t *)call_tile(call, tile);
  const uint8_t *weights = (const uint8_t *)scales + call->scale_bytes;
  __m256 sums[MAX_ROWS][2];
  UNROLL for (int r = 0; r < rows; r++) sums[r][0] = sums[r][1] = _mm256_setzero_ps();
  for (int64_t g = 0; g < call->groups; g++) {
    __m256i dots[MAX_ROWS][2];
    UNROLL for (int r = 0; r < rows; r++) {
      const activation_group *a = (const activation_group *)(groups + r * stride);
      dots[r][0] = dots[r][1] = _mm256_set1_epi32(offset ? a->minus_8 : 0);
    }
    if (int4) add_int4(rows, q, stride, group, weights, dots);
    else add_int8(rows, q, stride, group, weights, dots);
    __m256 d0 = halves(scales), d1 = halves(scales + 8);
    UNROLL for (int r = 0; r < rows; r++) {
      __m256 d = _mm256_broadcast_ss(&((const activation_group *)(groups + r * stride))->scale);
      sums[r][0] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dots[r][0]), _mm256_mul_ps(d, d0), sums[r][0]);
      sums[r][1] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dots[r][1]), _mm256_mul_ps(d, d1), sums[r][1]);
    }
    scales += INGOT_TILE;
    if (minimum) {
      __m256 m0 = halves(scales), m1 = halves(scales + 8);
      UNROLL for (int r = 0; r < rows; r++) {
        __m256 s = _mm256_broadcast_ss(&((const activation_group *)(groups + r * stride))->sum);
        sums[r][0] = _mm256_fmadd_ps(s, m0, sums[r][0]);
        sums[r][1] = _mm256_fmadd_ps(s, m1, sums[r][1]);
      }
      scales += INGOT_TILE;
    }
    q += group, groups += sizeof(activation_group), weights += weight_bytes;
  }
  UNROLL for (int r = 0; r < rows; r++) {
    float out[INGOT_TILE];
    _mm256_storeu_ps(out, sums[r][0]);
    _mm256_storeu_ps(out + 8, sums[r][1]);
    finish_tile(call, row + r, tile, out);
  }
}

/// One tile for all rows: four at a time, then the rest.
INLINE void integer_tile(
    const matmul_call *call, bool int4, int32_t group, int64_t row, int64_t rows, int64_t tile) {
  for (; rows >= 4; rows -= 4, row += 4) integer_block(call, int4, 4, group, row, tile);
  if (rows == 3) integer_block(call, int4, 3, group, row, tile);
  if (rows == 2) integer_block(call, int4, 2, group, row, tile);
  if (rows == 1) integer_block(call, int4, 1, group, row, tile);
}

/// Groups of 32 get code of their own: with one block to a group nothing is added up between blocks.
TARGET static void int4_tile_32(const matmul_call *call, int64_t row, int64_t rows, int64_t tile) {
  integer_tile(call, true, 32, row, rows, tile);
}
TARGET static void int4_tile(const matmul_call *call, int64_t row, int64_t rows, int64_t tile) {
  integer_tile(call, true, call->weight.group, row, rows, tile);
}
TARGET static void int8_tile(const matmul_call *call, int64_t row, int64_t rows, int64_t tile) {
  integer_tile(call, false, call->weight.group, row, rows, tile);
}

/// Eight weights of a float format.
INLINE __m256 weights8(ingot_format format, const uint8_t *p) {
  if (format == INGOT_F32) return _mm256_loadu_ps((const float *)p);
  __m128i h = _mm_loadu_si128((const __m128i *)p);
  if (format == INGOT_F16) return _mm256_cvtph_ps(h);
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
}

INLINE void float_block(
    const matmul_call *call, ingot_format format, int rows, int tiles, int64_t row, int64_t tile) {
  const ingot_matmul_arguments *a = &call->arguments;
  const float *x = a->x + row * a->x_stride;
  const uint8_t *weights = call_tile(call, tile);
  size_t step = format == INGOT_F32 ? 64 : 32;
  __m256 sums[6][4][2];
  UNROLL for (int r = 0; r < rows; r++)
    UNROLL for (int t = 0; t < tiles; t++) sums[r][t][0] = sums[r][t][1] = _mm256_setzero_ps();
  for (int64_t i = 0; i < call->weight.k; i++, weights += step) {
    UNROLL for (int t = 0; t < tiles; t++) {
      __m256 w0 = weights8(format, weights + t * call->tile_bytes);
      __m256 w1 = weights8(format, weights + t * call->tile_bytes + step / 2);
      UNROLL for (int r = 0; r < rows; r++) {
        __m256 xi = _mm256_broadcast_ss(x + r * a->x_stride + i);
        sums[r][t][0] = _mm256_fmadd_ps(xi, w0, sums[r][t][0]);
        sums[r][t][1] = _mm256_fmadd_ps(xi, w1, sums[r][t][1]);
      }
    }
  }
  UNROLL for (int r = 0; r < rows; r++)
    UNROLL for (int t = 0; t < tiles; t++) {
      float out[INGOT_TILE];
      _mm256_storeu_ps(out, sums[r][t][0]);
      _mm256_storeu_ps(out + 8, sums[r][t][1]);
      finish_tile(call, row + r, tile + t, out);
    }
}

INLINE void float_tiles(
    const matmul_call *call, ingot_format format, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  int64_t end = tile + tiles;
  if (rows == 1) {
    for (; tile + 4 <= end; tile += 4) float_block(call, format, 1, 4, row, tile);
  } else if (rows == 2) {
    for (; tile + 2 <= end; tile += 2) float_block(call, format, 2, 2, row, tile);
  }
  for (; tile < end; tile++) {
    int64_t r = row, rest = rows;
    for (; rest >= 6; rest -= 6, r += 6) float_block(call, format, 6, 1, r, tile);
    if (rest >= 4) float_block(call, format, 4, 1, r, tile), rest -= 4, r += 4;
    if (rest == 3) float_block(call, format, 3, 1, r, tile);
    if (rest == 2) float_block(call, format, 2, 1, r, tile);
    if (rest == 1) float_block(call, format, 1, 1, r, tile);
  }
}

TARGET void ingot_matmul_avx2(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  switch (call->weight.format) {
    case INGOT_F32: float_tiles(call, INGOT_F32, row, rows, tile, tiles); return;
    case INGOT_F16: float_tiles(call, INGOT_F16, row, rows, tile, tiles); return;
    case INGOT_BF16: float_tiles(call, INGOT_BF16, row, rows, tile, tiles); return;
    case INGOT_I4:
    case INGOT_I4M:
      for (int64_t t = tile; t < tile + tiles; t++)
        (call->weight.group == 32 ? int4_tile_32 : int4_tile)(call, row, rows, t);
      return;
    case INGOT_I8:
    case INGOT_I8M:
      for (int64_t t = tile; t < tile + tiles; t++) int8_tile(call, row, rows, t);
      return;
  }
}
#endif
