/// The integer formats with AVX-VNNI for many rows: a stretch of a tile is unpacked to unsigned bytes once, then met
/// by all rows, four at a time.
#if defined(__x86_64__)
#include "matmul_avxvnni_dots.h"

enum { STRETCH = 512 };

/// A stretch of a tile, 10 kB, to stay in the L1 cache.
typedef struct panel {
  _Alignas(64) uint8_t weights[STRETCH * INGOT_TILE];  ///< [k/4][16][4]
  _Alignas(64) float scales[STRETCH / 32][INGOT_TILE], minimums[STRETCH / 32][INGOT_TILE];
} panel;

/// Unpacks inputs [start, start + count) of one tile.
TARGET static void unpack(const matmul_call *call, const uint8_t *tile, int64_t start, int64_t count, panel *out) {
  const __m256i low = _mm256_set1_epi8(15), sign = _mm256_set1_epi8(-128);
  bool int4 = format_is_int4(call->weight.format), minimum = format_has_minimum(call->weight.format);
  const uint8_t *from = tile + call->scale_bytes + start * (int4 ? INGOT_TILE / 2 : INGOT_TILE);
  uint8_t *to = out->weights;
  for (int64_t k = 0; int4 && k < count; k += 32, from += 256, to += 512)
    for (int i = 0; i < 256; i += 32) {
      __m256i w = load(from + i);
      _mm256_storeu_si256((__m256i *)(to + i), _mm256_and_si256(w, low));
      _mm256_storeu_si256((__m256i *)(to + 256 + i), _mm256_and_si256(_mm256_srli_epi16(w, 4), low));
    }
  for (int64_t i = 0; !int4 && i < count * INGOT_TILE; i += 32)
    _mm256_storeu_si256((__m256i *)(to + i), _mm256_xor_si256(load(from + i), sign));
  int64_t step = minimum ? 2 * INGOT_TILE : INGOT_TILE, groups = count / call->weight.group;
  const uint16_t *scales = (const uint16_t *)tile + start / call->weight.group * step;
  for (int64_t g = 0; g < groups; g++, scales += step)
    for (int i = 0; i < INGOT_TILE; i += 8) {
      _mm256_storeu_ps(out->scales[g] + i, halves(scales + i));
      if (minimum) _mm256_storeu_ps(out->minimums[g] + i, halves(scales + INGOT_TILE + i));
    }
}

/// Adds a stretch of `groups` groups to the dots of some rows.
INLINE void add_stretch(
    const matmul_call *call, int rows, int32_t group, int64_t row, int64_t start, int64_t groups, const panel *from,
    float (*sums)[INGOT_TILE]) {
  bool minimum = format_has_minimum(call->weight.format);
  size_t stride = call->row_bytes;
  const int8_t *q = call_row(call, row) + start;
  const uint8_t *a = (const uint8_t *)(call_row_groups(call, row) + start / group);
  const uint8_t *weights = from->weights;
  for (int64_t g = 0; g < groups; g++, q += group, a += sizeof(activation_group), weights += group * INGOT_TILE) {
    __m256 dots[MAX_ROWS][2];
    group_dots(call, UNPACKED, rows, group, q, stride, a, weights, dots);
    __m256 d[2] = {_mm256_loadu_ps(from->scales[g]), _mm256_loadu_ps(from->scales[g] + 8)}, m[2] = {d[0], d[1]};
    if (minimum) m[0] = _mm256_loadu_ps(from->minimums[g]), m[1] = _mm256_loadu_ps(from->minimums[g] + 8);
    add_group(rows, stride, a, d, minimum, m, dots, sums);
  }
}

#define PANEL panel
#include "matmul_panel_rows.h"

TARGET void ingot_matmul_avxvnni_panel(
    const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  panel_rows(call, row, rows, tile, tiles);
}
#endif
