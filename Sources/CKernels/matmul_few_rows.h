/// The walk over few rows that kernels share whose `block` computes some rows by some tiles. No include guard: included
/// behind `block` and INLINE, with the target attribute of the including file.

INLINE void some_tiles(
    const matmul_call *call, packing packing, int32_t group, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  int64_t end = tile + tiles;
  if (rows == 1)
    for (; tile + 4 <= end; tile += 4) block(call, packing, 1, 4, group, row, tile);
  if (rows == 2)
    for (; tile + 2 <= end; tile += 2) block(call, packing, 2, 2, group, row, tile);
  for (; tile < end; tile++) {
    int64_t r = row, rest = rows;
    for (; rest >= 4; rest -= 4, r += 4) block(call, packing, 4, 1, group, r, tile);
    if (rest == 3) block(call, packing, 3, 1, group, r, tile);
    if (rest == 2) block(call, packing, 2, 1, group, r, tile);
    if (rest == 1) block(call, packing, 1, 1, group, r, tile);
  }
}

/// Groups of 32 get code of their own. `bytes` is how the including file calls int8 as it is stored.
INLINE void few_rows(
    const matmul_call *call, packing bytes, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  int32_t group = call->weight.group;
  if (!format_is_int4(call->weight.format)) some_tiles(call, bytes, group, row, rows, tile, tiles);
  else if (group == 32) some_tiles(call, PACKED_INT4, 32, row, rows, tile, tiles);
  else some_tiles(call, PACKED_INT4, group, row, rows, tile, tiles);
}
