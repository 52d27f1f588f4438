/// The unpacked stretch of a tile that many rows meet, for both of aarch64's kernels.
#ifndef INGOT_MATMUL_NEON_PANEL_H
#define INGOT_MATMUL_NEON_PANEL_H

#include "matmul_internal.h"

enum { STRETCH = 512 };

/// 12 kB at most, to stay in the L1 cache. `i8mm` keeps scales twice over, as its sums are of two rows.
typedef struct neon_panel {
  _Alignas(64) uint8_t weights[STRETCH * INGOT_TILE];
  _Alignas(64) float scales[STRETCH / 32][2 * INGOT_TILE], minimums[STRETCH / 32][2 * INGOT_TILE];
} neon_panel;

/// Packed weights and scales of a tile from input `start` on.
static inline const uint8_t *panel_source(const matmul_call *call, const uint8_t *tile, int64_t start) {
  return tile + call->scale_bytes + start * (format_is_int4(call->weight.format) ? INGOT_TILE / 2 : INGOT_TILE);
}
static inline const uint16_t *panel_scales(const matmul_call *call, const uint8_t *tile, int64_t start) {
  int64_t step = format_has_minimum(call->weight.format) ? 2 * INGOT_TILE : INGOT_TILE;
  return (const uint16_t *)tile + start / call->weight.group * step;
}

#endif
