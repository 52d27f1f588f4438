/// What the driver of the matrix products, its kernels and the packing share.
#ifndef INGOT_MATMUL_INTERNAL_H
#define INGOT_MATMUL_INTERNAL_H

#include <stdbool.h>
#include <string.h>

#include "ingot_matmul.h"

/// Products and sums round one by one: a contracted pair would differ between compilers and kernels.
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif

static inline int64_t round_up(int64_t x, int64_t step) { return (x + step - 1) / step * step; }

static inline bool format_is_float(ingot_format format) { return format <= INGOT_BF16; }
static inline bool format_is_int4(ingot_format format) { return format == INGOT_I4 || format == INGOT_I4M; }
static inline bool format_has_minimum(ingot_format format) { return format == INGOT_I8M || format == INGOT_I4M; }

/// Bytes of the scales (and minimums) at the start of an integer tile.
static inline size_t tile_scale_bytes(ingot_format format, int64_t groups) {
  return (size_t)round_up(groups * INGOT_TILE * 2 * (format_has_minimum(format) ? 2 : 1), 64);
}

/// What a kernel needs of one group of a quantised row, laid out for broadcasts.
typedef struct activation_group {
  float scale;        ///< x ≈ scale · q
  float sum;          ///< (float)Σq · scale: what multiplies the weights' minimum
  int32_t minus_8;    ///< -8 Σq: undoes the offset of symmetric int4; 16 times it, that of int8 as unsigned bytes
  int16_t minus_4[2]; ///< -4 Σq twice, for groups of 32: the same in two 16-bit halves
} activation_group;

/// A quantised row is k (padded to groups) signed bytes, then its groups, padded to 64 bytes.
static inline size_t activation_row_bytes(int64_t padded_k, int32_t group) {
  return (size_t)round_up(padded_k + padded_k / group * (int64_t)sizeof(activation_group), 64);
}

/// One product, or a part of it, as the kernels see it.
typedef struct matmul_call {
  ingot_matmul_arguments arguments;
  ingot_weight weight;
  int64_t padded_k, groups;
  size_t tile_bytes, scale_bytes;
  uint8_t *rows;     ///< quantised rows (integer formats)
  size_t row_bytes;
  int64_t y_row, y_tile;   ///< the row and tile that the first element of arguments.y belongs to
} matmul_call;

static inline const uint8_t *call_tile(const matmul_call *call, int64_t tile) {
  return (const uint8_t *)call->weight.data + (size_t)tile * call->tile_bytes;
}
static inline const int8_t *call_row(const matmul_call *call, int64_t row) {
  return (const int8_t *)(call->rows + (size_t)row * call->row_bytes);
}
static inline const activation_group *call_row_groups(const matmul_call *call, int64_t row) {
  return (const activation_group *)(call->rows + (size_t)row * call->row_bytes + call->padded_k);
}

/// Adds bias and residual to the dots of one row and one tile, and stores those that exist. Out of line: inlined, it
/// costs the kernels' inner loops registers.
void ingot_finish_tile(const matmul_call *call, int64_t row, int64_t tile, const float *dots);

/// The most rows a kernel is given at once: with k bytes each they stay in the L2 cache.
enum { ROW_BLOCK = 48 };

/// Computes rows [row, row + rows), at most ROW_BLOCK, of the tiles [tile, tile + tiles).
typedef void (*matmul_kernel)(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles);
void ingot_matmul_portable(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles);
void ingot_matmul_avx2(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles);
void ingot_matmul_avxvnni(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles);
void ingot_matmul_avx512(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles);
void ingot_matmul_neon(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles);
void ingot_matmul_i8mm(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles);

/// Their parts for the integer formats, for few rows and for many.
void ingot_matmul_avx2_integer(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles);
void ingot_matmul_avx512_integer(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles);
void ingot_matmul_avx512_panel(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles);
void ingot_matmul_avxvnni_integer(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles);
void ingot_matmul_avxvnni_panel(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles);
void ingot_matmul_neon_integer(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles);
void ingot_matmul_neon_panel(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles);
void ingot_matmul_i8mm_panel(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles);

/// Quantises one row of k floats; q and groups are those of a quantised row.
typedef void (*quantize_kernel)(const float *x, int64_t k, int32_t group, int8_t *q, activation_group *groups);
void ingot_quantize_row_portable(const float *x, int64_t k, int32_t group, int8_t *q, activation_group *groups);
void ingot_quantize_row_avx2(const float *x, int64_t k, int32_t group, int8_t *q, activation_group *groups);
void ingot_quantize_row_neon(const float *x, int64_t k, int32_t group, int8_t *q, activation_group *groups);

/// A group whose largest magnitude is below 2^-100 counts as zeros: its reciprocal must not overflow.
enum { AMAX_BITS_ZERO = 27 << 23, AMAX_BITS_INFINITE = 0x7f800000 };

static inline uint32_t float_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
static inline float bits_float(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/// What is stored for a group whose largest magnitude has these bits; q is then all zero unless the result
/// is finite and positive. A NaN or an infinity among the inputs makes the outputs NaN, as in float formats.
static inline float activation_scale(uint32_t amax_bits) {
  if (amax_bits >= AMAX_BITS_INFINITE) return bits_float(0x7fc00000);
  if (amax_bits < AMAX_BITS_ZERO) return 0;
  return bits_float(amax_bits) / 127.0f;
}

/// Rounds to the 11 significant bits of an IEEE half, at any magnitude, ties to even. NaN stays NaN.
static inline float rounded_to_half_precision(float x) {
  uint32_t bits = float_bits(x);
  if ((bits & 0x7f800000) == 0x7f800000) return x;
  return bits_float((bits + 0x0fff + (bits >> 13 & 1)) & ~0x1fffu);
}

/// Scale and scaled sum keep the precision of a half, which is what ggml's Q8_0 and Q8_1 blocks store: rounding
/// them alike costs nothing beside the 8-bit values and keeps logits closer to llama.cpp's.
static inline activation_group activation_group_make(float scale, int32_t sum) {
  return (activation_group){
      rounded_to_half_precision(scale), rounded_to_half_precision((float)sum * scale), -8 * sum,
      {(int16_t)(-4 * sum), (int16_t)(-4 * sum)}};
}

/// IEEE half to float by integer arithmetic.
static inline float half_float(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000) << 16, rest = half & 0x7fff;
  if (rest >= 0x7c00) {  // infinities stay; NaNs become quiet, as the processor makes them
    uint32_t quiet = rest > 0x7c00 ? 0x400000 : 0;
    return bits_float(sign | 0x7f800000 | quiet | (rest & 0x3ff) << 13);
  }
  // Moves exponent and mantissa into place and fixes the bias by a product, which also scales subnormals.
  return bits_float(sign | float_bits(bits_float(rest << 13) * 0x1p112f));
}

static inline float bfloat_float(uint16_t bfloat) { return bits_float((uint32_t)bfloat << 16); }

#endif
