/// The float formats with AVX-512, and the choice between the integer kernels.
///
/// A tile is one vector of 16 outputs, every output one chain of multiply-adds: 4 to 12 chains run side by side.
#include "matmul_internal.h"

#if defined(__x86_64__)
#include <immintrin.h>

#ifndef TARGET  // Scripts/check_kernels.sh defines it empty
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))
#endif
#define INLINE TARGET static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

enum { PANEL_ROWS = 8, MAX_ROWS = 6, MAX_TILES = 4 };

/// Sixteen weights of a float format.
INLINE __m512 weights16(ingot_format format, const uint8_t *p) {
  if (format == INGOT_F32) return _mm512_loadu_ps((const float *)p);
  __m256i h = _mm256_loadu_si256((const __m256i *)p);
  if (format == INGOT_F16) return _mm512_cvtph_ps(h);
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16));
}

INLINE void float_block(
    const matmul_call *call, ingot_format format, int rows, int tiles, int64_t row, int64_t tile) {
  const ingot_matmul_arguments *a = &call->arguments;
  const float *x = a->x + row * a->x_stride;
  const uint8_t *weights = call_tile(call, tile);
  size_t step = format == INGOT_F32 ? 64 : 32;
  __m512 sums[MAX_ROWS][MAX_TILES];
  UNROLL for (int r = 0; r < rows; r++)
    UNROLL for (int t = 0; t < tiles; t++) sums[r][t] = _mm512_setzero_ps();
  for (int64_t i = 0; i < call->weight.k; i++, weights += step) {
    __m512 w[MAX_TILES];
    UNROLL for (int t = 0; t < tiles; t++) w[t] = weights16(format, weights + t * call->tile_bytes);
    UNROLL for (int r = 0; r < rows; r++) {
      __m512 xi = _mm512_set1_ps(x[r * a->x_stride + i]);
      UNROLL for (int t = 0; t < tiles; t++) sums[r][t] = _mm512_fmadd_ps(xi, w[t], sums[r][t]);
    }
  }
  UNROLL for (int r = 0; r < rows; r++)
    UNROLL for (int t = 0; t < tiles; t++) {
      float out[INGOT_TILE];
      _mm512_storeu_ps(out, sums[r][t]);
      ingot_finish_tile(call, row + r, tile + t, out);
    }
}

#define FLOAT_TILES 2
#include "matmul_float_rows.h"

TARGET void ingot_matmul_avx512(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  if (multiply_floats(call, row, rows, tile, tiles)) return;
  if (rows < PANEL_ROWS) ingot_matmul_avx512_integer(call, row, rows, tile, tiles);
  else ingot_matmul_avx512_panel(call, row, rows, tile, tiles);
}
#endif
