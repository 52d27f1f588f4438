/// The integer formats with AVX-512 VNNI for many rows: a stretch of two tiles is unpacked to unsigned bytes once,
/// then met by all rows, four at a time: 8 integer and 8 float sums in registers.
#if defined(__x86_64__)
#include "matmul_avx512_dots.h"

enum { STRETCH = 512, PANEL_TILES = 2 };

/// A stretch of two tiles, 20 kB, to stay in the L1 cache.
typedef struct panel {
  _Alignas(64) uint8_t weights[PANEL_TILES][STRETCH * INGOT_TILE];  ///< [k/4][16][4]
  _Alignas(64) float scales[PANEL_TILES][STRETCH / 32][INGOT_TILE], minimums[PANEL_TILES][STRETCH / 32][INGOT_TILE];
} panel;

INLINE __m512 halves(const uint16_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }

/// Unpacks inputs [start, start + count) of one tile.
TARGET static void unpack(
    const matmul_call *call, const uint8_t *tile, int64_t start, int64_t count, int t, panel *out) {
  const __m512i low = _mm512_set1_epi8(15), sign = _mm512_set1_epi8(-128);
  bool int4 = format_is_int4(call->weight.format), minimum = format_has_minimum(call->weight.format);
  const uint8_t *from = tile + call->scale_bytes + start * (int4 ? INGOT_TILE / 2 : INGOT_TILE);
  uint8_t *to = out->weights[t];
  for (int64_t k = 0; int4 && k < count; k += 32, from += 256, to += 512)
    for (int i = 0; i < 256; i += 64) {
      __m512i w = _mm512_loadu_si512(from + i);
      _mm512_storeu_si512(to + i, _mm512_and_si512(w, low));
      _mm512_storeu_si512(to + 256 + i, _mm512_and_si512(_mm512_srli_epi16(w, 4), low));
    }
  for (int64_t i = 0; !int4 && i < count * INGOT_TILE; i += 64)
    _mm512_storeu_si512(to + i, _mm512_xor_si512(_mm512_loadu_si512(from + i), sign));
  int64_t step = minimum ? 2 * INGOT_TILE : INGOT_TILE, groups = count / call->weight.group;
  const uint16_t *scales = (const uint16_t *)tile + start / call->weight.group * step;
  for (int64_t g = 0; g < groups; g++, scales += step) {
    _mm512_storeu_ps(out->scales[t][g], halves(scales));
    if (minimum) _mm512_storeu_ps(out->minimums[t][g], halves(scales + INGOT_TILE));
  }
}

/// Adds a stretch of `groups` groups to the dots of some rows, kept in memory from stretch to stretch.
INLINE void add_stretch(
    const matmul_call *call, int rows, int tiles, int32_t group, int64_t row, int64_t start, int64_t groups,
    const panel *from, float (*target)[PANEL_TILES][INGOT_TILE]) {
  bool minimum = format_has_minimum(call->weight.format);
  size_t stride = call->row_bytes;
  const int8_t *q = call_row(call, row) + start;
  const uint8_t *a = (const uint8_t *)(call_row_groups(call, row) + start / group);
  const uint8_t *weights = from->weights[0];
  __m512 sums[MAX_ROWS][MAX_TILES];
  UNROLL for (int r = 0; r < rows; r++)
    UNROLL for (int t = 0; t < tiles; t++) sums[r][t] = _mm512_loadu_ps(target[r][t]);
  for (int64_t g = 0; g < groups; g++, q += group, a += sizeof(activation_group), weights += group * INGOT_TILE) {
    __m512i dots[MAX_ROWS][MAX_TILES];
    group_dots(call, UNPACKED, rows, tiles, group, q, stride, a, weights, sizeof from->weights[0], dots);
    UNROLL for (int t = 0; t < tiles; t++) {
      __m512 minimums = minimum ? _mm512_loadu_ps(from->minimums[t][g]) : _mm512_setzero_ps();
      add_group(rows, t, stride, a, _mm512_loadu_ps(from->scales[t][g]), minimum, minimums, dots, sums);
    }
  }
  UNROLL for (int r = 0; r < rows; r++)
    UNROLL for (int t = 0; t < tiles; t++) _mm512_storeu_ps(target[r][t], sums[r][t]);
}

INLINE void add_rows(
    const matmul_call *call, int tiles, int32_t group, int64_t row, int64_t rows, int64_t start, int64_t groups,
    const panel *from, float (*target)[PANEL_TILES][INGOT_TILE]) {
  for (; rows >= 4; rows -= 4, row += 4, target += 4)
    add_stretch(call, 4, tiles, group, row, start, groups, from, target);
  for (; rows > 0; rows--, row++, target++) add_stretch(call, 1, tiles, group, row, start, groups, from, target);
}

TARGET void ingot_matmul_avx512_panel(
    const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  panel unpacked;
  float dots[ROW_BLOCK][PANEL_TILES][INGOT_TILE];
  int32_t group = call->weight.group;
  for (int64_t end = tile + tiles; tile < end; tile += PANEL_TILES) {
    int count = end - tile < PANEL_TILES ? 1 : PANEL_TILES;
    memset(dots, 0, (size_t)rows * sizeof dots[0]);
    for (int64_t start = 0; start < call->padded_k; start += STRETCH) {
      int64_t length = call->padded_k - start < STRETCH ? call->padded_k - start : STRETCH;
      int64_t groups = length / group;
      for (int t = 0; t < count; t++) unpack(call, call_tile(call, tile + t), start, length, t, &unpacked);
      if (count == 1) add_rows(call, 1, group, row, rows, start, groups, &unpacked, dots);
      else if (group == 32) add_rows(call, 2, 32, row, rows, start, groups, &unpacked, dots);
      else add_rows(call, 2, group, row, rows, start, groups, &unpacked, dots);
    }
    for (int64_t r = 0; r < rows; r++)
      for (int t = 0; t < count; t++) ingot_finish_tile(call, row + r, tile + t, dots[r][t]);
  }
}
#endif
