/// The integer formats with AVX2.
///
/// Four rows by one tile at a time: 8 sums in registers, weights unpacked once for all four. Fewer rows take several
/// tiles side by side, because decoding waits for memory and more streams keep more cache misses under way.
#include "matmul_internal.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma,f16c")))
#define INLINE TARGET static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

/// Holds a sum at its place. The compiler would else finish one sum after the other, with all the unpacked
/// weights on the stack: 22 multiply-adds a cycle instead of 29 for four rows.
#define IN_ORDER(v) __asm__ volatile("" : "+x"(v))

/// Not unrolled: four copies would gain nothing, the sums of a tile fit the registers.
#define TILES _Pragma("clang loop unroll(disable)")

enum {
  MAX_ROWS = 4, MAX_TILES = 4,
  AHEAD = 3072,  ///< bytes: 21 to 24 GB/s of cold weights on one core, 19 to 23 with half of it, 13 to 16 without
};

INLINE void prefetch(const uint8_t *address) { _mm_prefetch((const char *)address, _MM_HINT_T0); }

/// Four bytes, for all lanes.
INLINE __m256i splat(const void *p) {
  int32_t four;
  memcpy(&four, p, sizeof four);
  return _mm256_set1_epi32(four);
}

INLINE __m256i load(const void *p) { return _mm256_loadu_si256(p); }

INLINE const activation_group *group_of(const uint8_t *groups, size_t stride, int row) {
  return (const activation_group *)(groups + (size_t)row * stride);
}

/// The exact dots of one group of int4. Sixteen products of 15 · 127 fit 16 bits, so widening waits until a block
/// of 32 inputs is summed. With groups of 32 the offset of symmetric int4 goes into the 16-bit sums: a sum's own
/// Σ(w - 4)q, less 4Σq of the other half, fits as well, being at most 16 · 127 · (11 + 4).
INLINE void int4_dots(
    int rows, bool offset, const int8_t *q, const uint8_t *groups, size_t stride, int32_t group,
    const uint8_t *weights, size_t ahead, __m256i dots[][2]) {
  const __m256i low = _mm256_set1_epi8(15), ones = _mm256_set1_epi16(1);
  for (int32_t block = 0; block < group; block += 32, q += 32, weights += 256) {
    __m256i sums[MAX_ROWS][2];
    UNROLL for (int i = 0; i < 256; i += 64) prefetch(weights + ahead + i);
    UNROLL for (int r = 0; r < rows; r++) {
      sums[r][0] = _mm256_setzero_si256();
      if (group == 32 && offset) sums[r][0] = splat(group_of(groups, stride, r)->minus_4);
      sums[r][1] = sums[r][0];
    }
    UNROLL for (int i = 0; i < 4; i++) {
      UNROLL for (int high = 0; high < 2; high++) {
        __m256i w0 = load(weights + 64 * i), w1 = load(weights + 64 * i + 32);
        if (high) w0 = _mm256_srli_epi16(w0, 4), w1 = _mm256_srli_epi16(w1, 4);
        w0 = _mm256_and_si256(w0, low), w1 = _mm256_and_si256(w1, low);
        UNROLL for (int r = 0; r < rows; r++) {
          __m256i x = splat(q + r * stride + 16 * high + 4 * i);
          sums[r][0] = _mm256_add_epi16(sums[r][0], _mm256_maddubs_epi16(w0, x));
          sums[r][1] = _mm256_add_epi16(sums[r][1], _mm256_maddubs_epi16(w1, x));
          if (rows > 1) IN_ORDER(sums[r][0]);
          if (rows > 1) IN_ORDER(sums[r][1]);
        }
      }
    }
    UNROLL for (int r = 0; r < rows; r++)
      UNROLL for (int h = 0; h < 2; h++) {
        __m256i sum = _mm256_madd_epi16(sums[r][h], ones);
        if (block != 0) dots[r][h] = _mm256_add_epi32(dots[r][h], sum);
        else if (group == 32 || !offset) dots[r][h] = sum;
        else dots[r][h] = _mm256_add_epi32(splat(&group_of(groups, stride, r)->minus_8), sum);
      }
  }
}

/// The same for int8: |w| as unsigned times x with the sign of w. Two products of 128 · 127 fit 16 bits.
INLINE void int8_dots(
    int rows, const int8_t *q, size_t stride, int32_t group, const uint8_t *weights, size_t ahead,
    __m256i dots[][2]) {
  const __m256i ones = _mm256_set1_epi16(1);
  UNROLL for (int r = 0; r < rows; r++) dots[r][0] = dots[r][1] = _mm256_setzero_si256();
  for (int32_t i = 0; i < group; i += 4, q += 4, weights += 64) {
    __m256i w0 = load(weights), w1 = load(weights + 32);
    prefetch(weights + ahead);
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

/// Rows and tiles side by side, group by group.
INLINE void integer_block(
    const matmul_call *call, bool int4, int rows, int tiles, int32_t group, int64_t row, int64_t tile) {
  bool minimum = format_has_minimum(call->weight.format), offset = call->weight.format == INGOT_I4;
  size_t stride = call->row_bytes, weight_bytes = (size_t)group * (int4 ? INGOT_TILE / 2 : INGOT_TILE);
  const int8_t *q = call_row(call, row);
  const uint8_t *groups = (const uint8_t *)call_row_groups(call, row);
  const uint8_t *scales = call_tile(call, tile), *weights = scales + call->scale_bytes;
  const uint8_t *end = scales + call->tile_bytes;
  __m256 sums[MAX_TILES][MAX_ROWS][2];
  UNROLL for (int t = 0; t < tiles; t++)
    UNROLL for (int r = 0; r < rows; r++) sums[t][r][0] = sums[t][r][1] = _mm256_setzero_ps();
  for (int64_t g = 0; g < call->groups; g++) {
    // At its end a tile fetches the start of the one that follows it in the next call.
    size_t ahead = AHEAD + (weights + AHEAD < end ? 0 : (size_t)(tiles - 1) * call->tile_bytes);
    TILES for (int t = 0; t < tiles; t++) {
      const uint16_t *scale = (const uint16_t *)(scales + t * call->tile_bytes);
      __m256i dots[MAX_ROWS][2];
      if (int4) int4_dots(rows, offset, q, groups, stride, group, weights + t * call->tile_bytes, ahead, dots);
      else int8_dots(rows, q, stride, group, weights + t * call->tile_bytes, ahead, dots);
      __m256 d0 = halves(scale), d1 = halves(scale + 8);
      UNROLL for (int r = 0; r < rows; r++) {
        __m256 d = _mm256_broadcast_ss(&group_of(groups, stride, r)->scale);
        sums[t][r][0] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dots[r][0]), _mm256_mul_ps(d, d0), sums[t][r][0]);
        sums[t][r][1] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dots[r][1]), _mm256_mul_ps(d, d1), sums[t][r][1]);
      }
      if (!minimum) continue;
      __m256 m0 = halves(scale + 16), m1 = halves(scale + 24);
      UNROLL for (int r = 0; r < rows; r++) {
        __m256 s = _mm256_broadcast_ss(&group_of(groups, stride, r)->sum);
        sums[t][r][0] = _mm256_fmadd_ps(s, m0, sums[t][r][0]);
        sums[t][r][1] = _mm256_fmadd_ps(s, m1, sums[t][r][1]);
      }
    }
    scales += minimum ? 64 : 32;
    q += group, groups += sizeof(activation_group), weights += weight_bytes;
  }
  UNROLL for (int t = 0; t < tiles; t++)
    UNROLL for (int r = 0; r < rows; r++) {
      float out[INGOT_TILE];
      _mm256_storeu_ps(out, sums[t][r][0]);
      _mm256_storeu_ps(out + 8, sums[t][r][1]);
      ingot_finish_tile(call, row + r, tile + t, out);
    }
}

INLINE void integer_tiles(
    const matmul_call *call, bool int4, int32_t group, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  int64_t end = tile + tiles;
  if (rows == 1)
    for (; tile + 4 <= end; tile += 4) integer_block(call, int4, 1, 4, group, row, tile);
  if (rows == 2)
    for (; tile + 2 <= end; tile += 2) integer_block(call, int4, 2, 2, group, row, tile);
  for (; tile < end; tile++) {
    int64_t r = row, rest = rows;
    for (; rest >= 4; rest -= 4, r += 4) integer_block(call, int4, 4, 1, group, r, tile);
    if (rest == 3) integer_block(call, int4, 3, 1, group, r, tile);
    if (rest == 2) integer_block(call, int4, 2, 1, group, r, tile);
    if (rest == 1) integer_block(call, int4, 1, 1, group, r, tile);
  }
}

/// Groups of 32 get code of their own: with one block to a group nothing is added up between blocks.
TARGET void ingot_matmul_avx2_integer(
    const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  int32_t group = call->weight.group;
  if (!format_is_int4(call->weight.format)) integer_tiles(call, false, group, row, rows, tile, tiles);
  else if (group == 32) integer_tiles(call, true, 32, row, rows, tile, tiles);
  else integer_tiles(call, true, group, row, rows, tile, tiles);
}
#endif
