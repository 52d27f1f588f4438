/// The integer formats with AVX-VNNI for few rows, and the way to the others: many rows go to unpacked panels, float
/// formats to AVX2.
///
/// Decoding waits for memory: one row takes four tiles side by side, as more streams keep more cache misses under way.
#if defined(__x86_64__)
#include "matmul_avxvnni_dots.h"

enum {
  PANEL_ROWS = 8,
  AHEAD = 1536,  ///< bytes of software prefetch
};

/// Rows and tiles side by side, group by group.
INLINE void block(
    const matmul_call *call, packing packing, int rows, int tiles, int32_t group, int64_t row, int64_t tile) {
  bool minimum = format_has_minimum(call->weight.format);
  size_t stride = call->row_bytes;
  size_t weight_bytes = (size_t)group * (packing == PACKED_INT4 ? INGOT_TILE / 2 : INGOT_TILE);
  const int8_t *q = call_row(call, row);
  const uint8_t *groups = (const uint8_t *)call_row_groups(call, row);
  const uint8_t *scales = call_tile(call, tile), *weights = scales + call->scale_bytes;
  const uint8_t *end = scales + call->tile_bytes;
  float sums[MAX_TILES][MAX_ROWS][INGOT_TILE] = {0};
  for (int64_t g = 0; g < call->groups; g++) {
    // At its end a tile fetches the start of the one that follows it in the next call.
    size_t ahead = AHEAD + (weights + AHEAD < end ? 0 : (size_t)(tiles - 1) * call->tile_bytes);
    _Pragma("clang loop unroll(disable)") for (int t = 0; t < tiles; t++) {
      const uint16_t *scale = (const uint16_t *)(scales + t * call->tile_bytes);
      const uint8_t *from = weights + t * call->tile_bytes;
      __m256 dots[MAX_ROWS][2];
      for (size_t i = 0; i < weight_bytes; i += 64) _mm_prefetch((const char *)from + i + ahead, _MM_HINT_T0);
      group_dots(call, packing, rows, group, q, stride, groups, from, dots);
      __m256 d[2] = {halves(scale), halves(scale + 8)}, m[2] = {d[0], d[1]};
      if (minimum) m[0] = halves(scale + 16), m[1] = halves(scale + 24);
      add_group(rows, stride, groups, d, minimum, m, dots, sums[t]);
    }
    scales += minimum ? 64 : 32;
    q += group, groups += sizeof(activation_group), weights += weight_bytes;
  }
  for (int t = 0; t < tiles; t++)
    for (int r = 0; r < rows; r++) ingot_finish_tile(call, row + r, tile + t, sums[t][r]);
}

#include "matmul_few_rows.h"

TARGET void ingot_matmul_avxvnni_integer(
    const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  few_rows(call, PACKED_INT8, row, rows, tile, tiles);
}

void ingot_matmul_avxvnni(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  if (format_is_float(call->weight.format)) ingot_matmul_avx2(call, row, rows, tile, tiles);
  else if (rows < PANEL_ROWS) ingot_matmul_avxvnni_integer(call, row, rows, tile, tiles);
  else ingot_matmul_avxvnni_panel(call, row, rows, tile, tiles);
}
#endif
