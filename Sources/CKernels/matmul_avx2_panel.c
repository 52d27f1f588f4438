/// The integer formats with AVX2 for many rows: a stretch of a tile is unpacked once, then met by all rows.
///
/// Weights become planes of nibbles, because only the products of nibbles with bytes can be summed in 16 bits for
/// long: sixteen of 15 · 127 fit. int4 is one plane; int8, made unsigned, is a high and a low plane, and the
/// widening multiply-add that ends a block of 32 inputs scales the high one by 16.
#include "matmul_internal.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma,f16c")))
#define INLINE TARGET static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

/// Unrolled, this loop would be reordered into one chain per sum, with all operands on the stack.
#define IN_ORDER(v) __asm__ volatile("" : "+x"(v))

enum { MAX_ROWS = 4, STRETCH = 512 };

/// A stretch of a tile, 20 kB at most, to stay in the L1 cache.
typedef struct panel {
  _Alignas(64) uint8_t planes[2][STRETCH * INGOT_TILE];  ///< [k/4][16][4]: int4; int8 low, high
  _Alignas(64) float scales[STRETCH / 32][INGOT_TILE], minimums[STRETCH / 32][INGOT_TILE];
} panel;

INLINE __m256i load(const void *p) { return _mm256_loadu_si256(p); }
INLINE void store(void *p, __m256i v) { _mm256_storeu_si256(p, v); }

/// Unpacks inputs [start, start + count) of a tile.
TARGET static void unpack(const matmul_call *call, const uint8_t *tile, int64_t start, int64_t count, panel *out) {
  const __m256i low = _mm256_set1_epi8(15), sign = _mm256_set1_epi8(-128);
  bool int4 = format_is_int4(call->weight.format), minimum = format_has_minimum(call->weight.format);
  const uint8_t *weights = tile + call->scale_bytes + start * (int4 ? INGOT_TILE / 2 : INGOT_TILE);
  uint8_t *first = out->planes[0], *second = out->planes[1];
  if (int4) {
    for (int64_t k = 0; k < count; k += 32, weights += 256, first += 512)
      for (int i = 0; i < 256; i += 32) {
        __m256i w = load(weights + i);
        store(first + i, _mm256_and_si256(w, low));
        store(first + 256 + i, _mm256_and_si256(_mm256_srli_epi16(w, 4), low));
      }
  } else {
    for (int64_t i = 0; i < count * INGOT_TILE; i += 32) {
      __m256i w = _mm256_xor_si256(load(weights + i), sign);
      store(first + i, _mm256_and_si256(w, low));
      store(second + i, _mm256_and_si256(_mm256_srli_epi16(w, 4), low));
    }
  }
  int64_t step = minimum ? 2 * INGOT_TILE : INGOT_TILE, groups = count / call->weight.group;
  const uint16_t *scales = (const uint16_t *)tile + start / call->weight.group * step;
  for (int64_t g = 0; g < groups; g++, scales += step)
    for (int i = 0; i < INGOT_TILE; i += 8) {
      _mm256_store_ps(out->scales[g] + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(scales + i))));
      if (minimum)
        _mm256_store_ps(
            out->minimums[g] + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(scales + 16 + i))));
    }
}

/// A row's four bytes, for all lanes.
INLINE __m256i splat(const void *p) {
  int32_t four;
  memcpy(&four, p, sizeof four);
  return _mm256_set1_epi32(four);
}

/// Adds the dots of one block of 32 inputs with one plane to 16-bit sums.
INLINE void add_block(int rows, const int8_t *q, size_t stride, const uint8_t *plane, __m256i sums[][2]) {
  UNROLL for (int i = 0; i < 32; i += 4) {
    __m256i w0 = load(plane + 16 * i), w1 = load(plane + 16 * i + 32);
    UNROLL for (int r = 0; r < rows; r++) {
      __m256i x = splat(q + r * stride + i);
      sums[r][0] = _mm256_add_epi16(sums[r][0], _mm256_maddubs_epi16(w0, x));
      sums[r][1] = _mm256_add_epi16(sums[r][1], _mm256_maddubs_epi16(w1, x));
      IN_ORDER(sums[r][0]);
      IN_ORDER(sums[r][1]);
    }
  }
}

/// A group's exact dots. With groups of 32 the offset of symmetric int4 goes into the 16-bit sums: the pairs'
/// Σ(w - 4)q - 4Σq of the other half still fit, as 16 · 127 · (11 + 4) does.
INLINE void group_dots(
    const matmul_call *call, bool int4, int rows, int32_t group, const int8_t *q, size_t stride,
    const uint8_t *groups, const uint8_t *first, const uint8_t *second, __m256i dots[][2]) {
  const __m256i ones = _mm256_set1_epi16(1), sixteens = _mm256_set1_epi16(16);
  bool offset = call->weight.format == INGOT_I4, fold = int4 && group == 32;
  for (int32_t block = 0; block < group; block += 32, q += 32, first += 512, second += 512) {
    __m256i sums[MAX_ROWS][2];
    UNROLL for (int r = 0; r < rows; r++) {
      const activation_group *a = (const activation_group *)(groups + r * stride);
      sums[r][0] = sums[r][1] = fold && offset ? splat(a->minus_4) : _mm256_setzero_si256();
    }
    add_block(rows, q, stride, first, sums);
    UNROLL for (int r = 0; r < rows; r++) {
      const activation_group *a = (const activation_group *)(groups + r * stride);
      UNROLL for (int h = 0; h < 2; h++) {
        __m256i sum = _mm256_madd_epi16(sums[r][h], ones);
        if (fold) dots[r][h] = sum;
        else if (block != 0) dots[r][h] = _mm256_add_epi32(dots[r][h], sum);
        else if (!int4) dots[r][h] = _mm256_add_epi32(_mm256_slli_epi32(splat(&a->minus_8), 4), sum);
        else dots[r][h] = offset ? _mm256_add_epi32(splat(&a->minus_8), sum) : sum;
      }
    }
    if (int4) continue;
    UNROLL for (int r = 0; r < rows; r++) sums[r][0] = sums[r][1] = _mm256_setzero_si256();
    add_block(rows, q, stride, second, sums);
    UNROLL for (int r = 0; r < rows; r++)
      UNROLL for (int h = 0; h < 2; h++)
        dots[r][h] = _mm256_add_epi32(dots[r][h], _mm256_madd_epi16(sums[r][h], sixteens));
  }
}

/// Adds a stretch of `groups` groups to the dots of some rows, kept in memory from stretch to stretch.
INLINE void add_stretch(
    const matmul_call *call, bool int4, int rows, int32_t group, int64_t row, int64_t start, int64_t groups,
    const panel *from, float *target) {
  bool minimum = format_has_minimum(call->weight.format);
  size_t stride = call->row_bytes;
  const int8_t *q = call_row(call, row) + start;
  const uint8_t *a = (const uint8_t *)(call_row_groups(call, row) + start / group);
  __m256 sums[MAX_ROWS][2];
  UNROLL for (int r = 0; r < rows; r++)
    UNROLL for (int h = 0; h < 2; h++) sums[r][h] = _mm256_loadu_ps(target + r * INGOT_TILE + 8 * h);
  for (int64_t g = 0; g < groups; g++, q += group, a += sizeof(activation_group)) {
    __m256i dots[MAX_ROWS][2];
    const uint8_t *first = from->planes[0] + g * group * INGOT_TILE;
    const uint8_t *second = from->planes[1] + g * group * INGOT_TILE;
    group_dots(call, int4, rows, group, q, stride, a, first, second, dots);
    UNROLL for (int r = 0; r < rows; r++) {
      __m256 d = _mm256_broadcast_ss(&((const activation_group *)(a + r * stride))->scale);
      UNROLL for (int h = 0; h < 2; h++) {
        __m256 dw = _mm256_mul_ps(d, _mm256_load_ps(from->scales[g] + 8 * h));
        sums[r][h] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dots[r][h]), dw, sums[r][h]);
      }
    }
    if (!minimum) continue;
    UNROLL for (int r = 0; r < rows; r++) {
      __m256 s = _mm256_broadcast_ss(&((const activation_group *)(a + r * stride))->sum);
      UNROLL for (int h = 0; h < 2; h++)
        sums[r][h] = _mm256_fmadd_ps(s, _mm256_load_ps(from->minimums[g] + 8 * h), sums[r][h]);
    }
  }
  UNROLL for (int r = 0; r < rows; r++)
    UNROLL for (int h = 0; h < 2; h++) _mm256_storeu_ps(target + r * INGOT_TILE + 8 * h, sums[r][h]);
}

INLINE void add_rows(
    const matmul_call *call, bool int4, int32_t group, int64_t row, int64_t rows, int64_t start, int64_t groups,
    const panel *from, float *target) {
  for (; rows >= 4; rows -= 4, row += 4, target += 4 * INGOT_TILE)
    add_stretch(call, int4, 4, group, row, start, groups, from, target);
  if (rows == 3) add_stretch(call, int4, 3, group, row, start, groups, from, target);
  if (rows == 2) add_stretch(call, int4, 2, group, row, start, groups, from, target);
  if (rows == 1) add_stretch(call, int4, 1, group, row, start, groups, from, target);
}

TARGET void ingot_matmul_avx2_panel(const matmul_call *call, int64_t row, int64_t rows, int64_t tile) {
  panel unpacked;
  float dots[ROW_BLOCK][INGOT_TILE];
  memset(dots, 0, (size_t)rows * sizeof dots[0]);
  int32_t group = call->weight.group;
  for (int64_t start = 0; start < call->padded_k; start += STRETCH) {
    int64_t count = call->padded_k - start < STRETCH ? call->padded_k - start : STRETCH, groups = count / group;
    unpack(call, call_tile(call, tile), start, count, &unpacked);
    if (!format_is_int4(call->weight.format))
      add_rows(call, false, group, row, rows, start, groups, &unpacked, dots[0]);
    else if (group == 32)
      add_rows(call, true, 32, row, rows, start, groups, &unpacked, dots[0]);
    else
      add_rows(call, true, group, row, rows, start, groups, &unpacked, dots[0]);
  }
  for (int64_t r = 0; r < rows; r++) finish_tile(call, row + r, tile, dots[r]);
}
#endif
