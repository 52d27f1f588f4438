/// The integer formats with AVX-512 VNNI for a few rows: decoding, which streams the weights once.
#if defined(__x86_64__)
#include "matmul_avx512_dots.h"

enum { AHEAD = 1536 };  ///< bytes of software prefetch

INLINE __m512 halves(const uint8_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }

INLINE void block(
    const matmul_call *call, packing packing, int rows, int tiles, int32_t group, int64_t row, int64_t tile) {
  bool minimum = format_has_minimum(call->weight.format);
  size_t stride = call->row_bytes;
  size_t weight_bytes = (size_t)group * (packing == PACKED_INT4 ? INGOT_TILE / 2 : INGOT_TILE);
  const int8_t *q = call_row(call, row);
  const uint8_t *groups = (const uint8_t *)call_row_groups(call, row);
  const uint8_t *scales = call_tile(call, tile), *weights = scales + call->scale_bytes;
  const uint8_t *end = scales + call->tile_bytes;
  __m512 sums[MAX_ROWS][MAX_TILES];
  UNROLL for (int r = 0; r < rows; r++)
    UNROLL for (int t = 0; t < tiles; t++) sums[r][t] = _mm512_setzero_ps();
  for (int64_t g = 0; g < call->groups; g++) {
    // At its end a tile fetches the start of the one that follows it in the next call.
    size_t ahead = AHEAD + (weights + AHEAD < end ? 0 : (size_t)(tiles - 1) * call->tile_bytes);
    for (size_t i = 0; i < weight_bytes; i += 64)
      UNROLL for (int t = 0; t < tiles; t++)
        _mm_prefetch((const char *)weights + t * call->tile_bytes + i + ahead, _MM_HINT_T0);
    __m512i dots[MAX_ROWS][MAX_TILES];
    group_dots(call, packing, rows, tiles, group, q, stride, groups, weights, call->tile_bytes, dots);
    UNROLL for (int t = 0; t < tiles; t++) {
      const uint8_t *scale = scales + t * call->tile_bytes;
      __m512 minimums = minimum ? halves(scale + 32) : _mm512_setzero_ps();
      add_group(rows, t, stride, groups, halves(scale), minimum, minimums, dots, sums);
    }
    scales += minimum ? 64 : 32;
    q += group, groups += sizeof(activation_group), weights += weight_bytes;
  }
  UNROLL for (int r = 0; r < rows; r++)
    UNROLL for (int t = 0; t < tiles; t++) {
      float out[INGOT_TILE];
      _mm512_storeu_ps(out, sums[r][t]);
      ingot_finish_tile(call, row + r, tile + t, out);
    }
}

/// At most four rows: four tiles for one row, else two, keep enough sums and cache misses under way.
INLINE void some_rows(
    const matmul_call *call, packing packing, int32_t group, int64_t row, int64_t rows, int64_t tile,
    int64_t tiles) {
  int64_t end = tile + tiles;
  if (rows == 1)
    for (; tile + 4 <= end; tile += 4) block(call, packing, 1, 4, group, row, tile);
  for (; tile + 2 <= end; tile += 2) {
    if (rows >= 4) block(call, packing, 4, 2, group, row, tile);
    else if (rows == 3) block(call, packing, 3, 2, group, row, tile);
    else if (rows == 2) block(call, packing, 2, 2, group, row, tile);
    else block(call, packing, 1, 2, group, row, tile);
  }
  if (tile == end) return;
  for (int64_t r = row; r < row + (rows < MAX_ROWS ? rows : MAX_ROWS); r++)
    block(call, packing, 1, 1, group, r, tile);
}

TARGET void ingot_matmul_avx512_integer(
    const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  int32_t group = call->weight.group;
  for (; rows > 0; rows -= MAX_ROWS, row += MAX_ROWS) {
    if (!format_is_int4(call->weight.format)) some_rows(call, PACKED_INT8, group, row, rows, tile, tiles);
    else if (group == 32) some_rows(call, PACKED_INT4, 32, row, rows, tile, tiles);
    else some_rows(call, PACKED_INT4, group, row, rows, tile, tiles);
  }
}
#endif
