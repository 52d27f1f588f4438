/// The float formats with NEON, and the choice between the integer kernels.
///
/// A tile is four vectors of 4 outputs, every output one chain of multiply-adds: 16 or 24 chains run side by side,
/// over rows or, for one row, over tiles.
#include "matmul_internal.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

enum { PANEL_ROWS = 8, MAX_ROWS = 6, MAX_TILES = 4, QUARTERS = INGOT_TILE / 4 };

/// Four weights of a float format.
INLINE float32x4_t weights4(ingot_format format, const uint8_t *p) {
  if (format == INGOT_F32) return vld1q_f32((const float *)p);
  uint16x4_t h = vld1_u16((const uint16_t *)p);
  if (format == INGOT_F16) return vcvt_f32_f16(vreinterpret_f16_u16(h));
  return vreinterpretq_f32_u32(vshll_n_u16(h, 16));
}

INLINE void float_block(
    const matmul_call *call, ingot_format format, int rows, int tiles, int64_t row, int64_t tile) {
  const ingot_matmul_arguments *a = &call->arguments;
  const float *x = a->x + row * a->x_stride;
  const uint8_t *weights = call_tile(call, tile);
  size_t step = format == INGOT_F32 ? 64 : 32;
  float32x4_t sums[MAX_ROWS][MAX_TILES][QUARTERS];
  UNROLL for (int r = 0; r < rows; r++)
    UNROLL for (int t = 0; t < tiles; t++)
      UNROLL for (int v = 0; v < QUARTERS; v++) sums[r][t][v] = vdupq_n_f32(0);
  for (int64_t i = 0; i < call->weight.k; i++, weights += step) {
    UNROLL for (int t = 0; t < tiles; t++) {
      float32x4_t w[QUARTERS];
      UNROLL for (int v = 0; v < QUARTERS; v++)
        w[v] = weights4(format, weights + t * call->tile_bytes + v * (step / QUARTERS));
      UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int v = 0; v < QUARTERS; v++)
          sums[r][t][v] = vfmaq_n_f32(sums[r][t][v], w[v], x[r * a->x_stride + i]);
    }
  }
  UNROLL for (int r = 0; r < rows; r++)
    UNROLL for (int t = 0; t < tiles; t++) {
      float out[INGOT_TILE];
      UNROLL for (int v = 0; v < QUARTERS; v++) vst1q_f32(out + 4 * v, sums[r][t][v]);
      ingot_finish_tile(call, row + r, tile + t, out);
    }
}

#define FLOAT_TILES 1
#include "matmul_float_rows.h"

/// `panel`: what takes the integer formats of many rows.
INLINE void choose(
    matmul_kernel panel, const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  if (multiply_floats(call, row, rows, tile, tiles)) return;
  if (rows < PANEL_ROWS) ingot_matmul_neon_integer(call, row, rows, tile, tiles);
  else panel(call, row, rows, tile, tiles);
}

void ingot_matmul_neon(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  choose(ingot_matmul_neon_panel, call, row, rows, tile, tiles);
}

void ingot_matmul_i8mm(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  choose(ingot_matmul_i8mm_panel, call, row, rows, tile, tiles);
}
#endif
