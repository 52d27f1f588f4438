/// The walk over rows and tiles of the float formats. No include guard: included behind INLINE and `float_block`, which
/// computes some rows by some tiles. FLOAT_TILES: how many tiles many rows take at once, 1 or 2.

/// Rows [row, row + rows) of some tiles: six at a time, then the rest.
INLINE void float_rows(
    const matmul_call *call, ingot_format format, int tiles, int64_t row, int64_t rows, int64_t tile) {
  for (; rows >= 6; rows -= 6, row += 6) float_block(call, format, 6, tiles, row, tile);
  if (rows >= 4) float_block(call, format, 4, tiles, row, tile), rows -= 4, row += 4;
  if (rows == 3) float_block(call, format, 3, tiles, row, tile);
  if (rows == 2) float_block(call, format, 2, tiles, row, tile);
  if (rows == 1) float_block(call, format, 1, tiles, row, tile);
}

INLINE void float_tiles(
    const matmul_call *call, ingot_format format, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  int64_t end = tile + tiles;
  if (rows == 1)
    for (; tile + 4 <= end; tile += 4) float_block(call, format, 1, 4, row, tile);
#if FLOAT_TILES == 2
  for (; tile + 2 <= end; tile += 2) float_rows(call, format, 2, row, rows, tile);
#else
  if (rows == 2)
    for (; tile + 2 <= end; tile += 2) float_block(call, format, 2, 2, row, tile);
#endif
  for (; tile < end; tile++) float_rows(call, format, 1, row, rows, tile);
}

/// The product, if the weights are floats.
INLINE bool multiply_floats(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  switch (call->weight.format) {
    case INGOT_F32: float_tiles(call, INGOT_F32, row, rows, tile, tiles); return true;
    case INGOT_F16: float_tiles(call, INGOT_F16, row, rows, tile, tiles); return true;
    case INGOT_BF16: float_tiles(call, INGOT_BF16, row, rows, tile, tiles); return true;
    case INGOT_I8:
    case INGOT_I8M:
    case INGOT_I4:
    case INGOT_I4M: break;
  }
  return false;
}
