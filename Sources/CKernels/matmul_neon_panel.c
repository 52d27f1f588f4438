/// The integer formats with NEON's dot products for many rows: a stretch of a tile is unpacked to bytes once, then met
/// by all rows, four at a time.
#if defined(__aarch64__)
#include "matmul_neon_dots.h"
#include "matmul_neon_panel.h"

static void unpack_weights(const matmul_call *call, const uint8_t *from, int64_t count, neon_panel *out) {
  uint8_t *to = out->weights;
  if (!format_is_int4(call->weight.format)) {
    memcpy(to, from, (size_t)count * INGOT_TILE);
    return;
  }
  for (int64_t k = 0; k < count; k += 32, from += 256, to += 512)
    for (int i = 0; i < 256; i += 16) {
      uint8x16_t w = vld1q_u8(from + i);
      vst1q_u8(to + i, vandq_u8(w, vdupq_n_u8(15)));
      vst1q_u8(to + 256 + i, vshrq_n_u8(w, 4));
    }
}

/// Unpacks inputs [start, start + count) of one tile.
TARGET static void unpack(const matmul_call *call, const uint8_t *tile, int64_t start, int64_t count, neon_panel *out) {
  unpack_weights(call, panel_source(call, tile, start), count, out);
  bool minimum = format_has_minimum(call->weight.format);
  int64_t groups = count / call->weight.group;
  const uint16_t *scales = panel_scales(call, tile, start);
  for (int64_t g = 0; g < groups; g++, scales += INGOT_TILE) {
    for (int v = 0; v < QUARTERS; v++) vst1q_f32(out->scales[g] + 4 * v, halves(scales + 4 * v));
    if (!minimum) continue;
    scales += INGOT_TILE;
    for (int v = 0; v < QUARTERS; v++) vst1q_f32(out->minimums[g] + 4 * v, halves(scales + 4 * v));
  }
}

/// Adds a stretch of `groups` groups to the dots of some rows.
INLINE void add_stretch(
    const matmul_call *call, int rows, int32_t group, int64_t row, int64_t start, int64_t groups,
    const neon_panel *from, float (*sums)[INGOT_TILE]) {
  ingot_format format = call->weight.format;
  bool minimum = format_has_minimum(format);
  size_t stride = call->row_bytes;
  const int8_t *q = call_row(call, row) + start;
  const uint8_t *a = (const uint8_t *)(call_row_groups(call, row) + start / group);
  const uint8_t *weights = from->weights;
  for (int64_t g = 0; g < groups; g++, q += group, a += sizeof(activation_group), weights += group * INGOT_TILE) {
    int32x4_t dots[MAX_ROWS][QUARTERS];
    group_dots(format, BYTES, rows, group, q, stride, a, weights, dots);
    float32x4_t d[QUARTERS], m[QUARTERS];
    UNROLL for (int v = 0; v < QUARTERS; v++) {
      d[v] = vld1q_f32(from->scales[g] + 4 * v);
      m[v] = minimum ? vld1q_f32(from->minimums[g] + 4 * v) : d[v];
    }
    add_group(rows, stride, a, d, minimum, m, dots, sums);
  }
}

#define PANEL neon_panel
#include "matmul_panel_rows.h"

TARGET void ingot_matmul_neon_panel(
    const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  panel_rows(call, row, rows, tile, tiles);
}
#endif
