/// The walk over many rows that kernels share which unpack a stretch of a tile into a panel. No include guard: included
/// behind PANEL (the panel's type), `unpack`, `add_stretch` and INLINE.

INLINE void add_rows(
    const matmul_call *call, int32_t group, int64_t row, int64_t rows, int64_t start, int64_t groups,
    const PANEL *from, float (*sums)[INGOT_TILE]) {
  for (; rows >= 4; rows -= 4, row += 4, sums += 4) add_stretch(call, 4, group, row, start, groups, from, sums);
  if (rows == 3) add_stretch(call, 3, group, row, start, groups, from, sums);
  if (rows == 2) add_stretch(call, 2, group, row, start, groups, from, sums);
  if (rows == 1) add_stretch(call, 1, group, row, start, groups, from, sums);
}

INLINE void panel_rows(
    const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  PANEL unpacked;
  float sums[ROW_BLOCK][INGOT_TILE];
  int32_t group = call->weight.group;
  for (int64_t end = tile + tiles; tile < end; tile++) {
    memset(sums, 0, (size_t)rows * sizeof sums[0]);
    for (int64_t start = 0; start < call->padded_k; start += STRETCH) {
      int64_t length = call->padded_k - start < STRETCH ? call->padded_k - start : STRETCH;
      unpack(call, call_tile(call, tile), start, length, &unpacked);
      if (group == 32) add_rows(call, 32, row, rows, start, length / 32, &unpacked, sums);
      else add_rows(call, group, row, rows, start, length / group, &unpacked, sums);
    }
    for (int64_t r = 0; r < rows; r++) ingot_finish_tile(call, row + r, tile, sums[r]);
  }
}
