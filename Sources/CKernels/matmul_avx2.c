/// The float formats with AVX2, FMA and F16C, and the way to the integer ones.
///
/// A tile is two vectors of 8 outputs. Every output is one chain of multiply-adds, so 8 to 12 chains run side by
/// side, over rows or, for few rows, over tiles.
#include "matmul_internal.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma,f16c")))
#define INLINE TARGET static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

/// Eight weights of a float format.
INLINE __m256 weights8(ingot_format format, const uint8_t *p) {
  if (format == INGOT_F32) return _mm256_loadu_ps((const float *)p);
  __m128i h = _mm_loadu_si128((const __m128i *)p);
  if (format == INGOT_F16) return _mm256_cvtph_ps(h);
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
}

INLINE void float_block(
    const matmul_call *call, ingot_format format, int rows, int tiles, int64_t row, int64_t tile) {
  const ingot_matmul_arguments *a = &call->arguments;
  const float *x = a->x + row * a->x_stride;
  const uint8_t *weights = call_tile(call, tile);
  size_t step = format == INGOT_F32 ? 64 : 32;
  __m256 sums[6][4][2];
  UNROLL for (int r = 0; r < rows; r++)
    UNROLL for (int t = 0; t < tiles; t++) sums[r][t][0] = sums[r][t][1] = _mm256_setzero_ps();
  for (int64_t i = 0; i < call->weight.k; i++, weights += step) {
    UNROLL for (int t = 0; t < tiles; t++) {
      __m256 w0 = weights8(format, weights + t * call->tile_bytes);
      __m256 w1 = weights8(format, weights + t * call->tile_bytes + step / 2);
      UNROLL for (int r = 0; r < rows; r++) {
        __m256 xi = _mm256_broadcast_ss(x + r * a->x_stride + i);
        sums[r][t][0] = _mm256_fmadd_ps(xi, w0, sums[r][t][0]);
        sums[r][t][1] = _mm256_fmadd_ps(xi, w1, sums[r][t][1]);
      }
    }
  }
  UNROLL for (int r = 0; r < rows; r++)
    UNROLL for (int t = 0; t < tiles; t++) {
      float out[INGOT_TILE];
      _mm256_storeu_ps(out, sums[r][t][0]);
      _mm256_storeu_ps(out + 8, sums[r][t][1]);
      ingot_finish_tile(call, row + r, tile + t, out);
    }
}

#define FLOAT_TILES 1
#include "matmul_float_rows.h"

TARGET void ingot_matmul_avx2(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  if (!multiply_floats(call, row, rows, tile, tiles)) ingot_matmul_avx2_integer(call, row, rows, tile, tiles);
}
#endif
