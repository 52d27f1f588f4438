/// The exact dots of one group with NEON's dot products, shared by the kernels for few and for many rows.
///
/// A vector of weights is four outputs by four inputs; a vector of a row is 16 inputs, of which an instruction takes
/// four by their lane. A tile's 16 outputs are four sums.
#ifndef INGOT_MATMUL_NEON_DOTS_H
#define INGOT_MATMUL_NEON_DOTS_H

#include <arm_neon.h>

#include "matmul_internal.h"

#ifndef TARGET
#define TARGET __attribute__((target("dotprod")))
#endif
#define INLINE TARGET static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

enum { MAX_ROWS = 4, MAX_TILES = 4, QUARTERS = INGOT_TILE / 4 };

/// How a kernel finds the bytes. Nibbles are bytes of 0...15; int8 is used as it is.
typedef enum packing { PACKED_INT4, BYTES } packing;

/// Holds a sum at its place. The compiler would else finish one sum after the other, with the weights on the stack.
#define IN_ORDER(v) __asm__ volatile("" : "+w"(v))

/// A dot is below 2^22, so that added to the bits of 1.5 · 2^23 it is a float but for that number. The subtraction
/// runs on more ports than a conversion.
static const float dot_shift = 0x1.8p23f;
INLINE float32x4_t dot_float(int32x4_t dot) {
  return vsubq_f32(vreinterpretq_f32_s32(dot), vdupq_n_f32(dot_shift));
}

INLINE const activation_group *group_of(const uint8_t *groups, size_t stride, int row) {
  return (const activation_group *)(groups + (size_t)row * stride);
}

/// What a row's dots begin with: the shift, and in int4 what undoes the weights' offset of 8.
INLINE int32x4_t first_dot(ingot_format format, const activation_group *group) {
  int32_t shift = (int32_t)0x4B400000;
  return vdupq_n_s32(format == INGOT_I4 ? shift + group->minus_8 : shift);
}

/// Four weights for each of 16 outputs with inputs 4 · LANE and on of the rows' vectors `x`.
#define ADD_FOUR(LANE, w, x) \
  UNROLL for (int r = 0; r < rows; r++) \
    UNROLL for (int v = 0; v < QUARTERS; v++) { \
      dots[r][v] = vdotq_laneq_s32(dots[r][v], w[v], x[r], LANE); \
      if (rows > 1) IN_ORDER(dots[r][v]); \
    }

#define ADD_BYTES(LANE, at, x) do { \
    int8x16_t w[QUARTERS]; \
    UNROLL for (int v = 0; v < QUARTERS; v++) w[v] = vld1q_s8((const int8_t *)(at) + 64 * LANE + 16 * v); \
    ADD_FOUR(LANE, w, x); \
  } while (0)

#define ADD_NIBBLES(LANE) do { \
    int8x16_t w[QUARTERS], high[QUARTERS]; \
    UNROLL for (int v = 0; v < QUARTERS; v++) { \
      uint8x16_t both = vld1q_u8(weights + 64 * LANE + 16 * v); \
      w[v] = vreinterpretq_s8_u8(vandq_u8(both, vdupq_n_u8(15))); \
      high[v] = vreinterpretq_s8_u8(vshrq_n_u8(both, 4)); \
    } \
    ADD_FOUR(LANE, w, x0); \
    ADD_FOUR(LANE, high, x1); \
  } while (0)

INLINE void group_dots(
    ingot_format format, packing packing, int rows, int32_t group, const int8_t *q, size_t stride,
    const uint8_t *groups, const uint8_t *weights, int32x4_t dots[MAX_ROWS][QUARTERS]) {
  UNROLL for (int r = 0; r < rows; r++) {
    int32x4_t first = first_dot(format, group_of(groups, stride, r));
    UNROLL for (int v = 0; v < QUARTERS; v++) dots[r][v] = first;
  }
  for (int32_t block = 0; block < group; block += 32, q += 32) {
    int8x16_t x0[MAX_ROWS], x1[MAX_ROWS];
    UNROLL for (int r = 0; r < rows; r++) x0[r] = vld1q_s8(q + r * stride), x1[r] = vld1q_s8(q + r * stride + 16);
    if (packing == PACKED_INT4) {
      ADD_NIBBLES(0);
      ADD_NIBBLES(1);
      ADD_NIBBLES(2);
      ADD_NIBBLES(3);
      weights += 256;
      continue;
    }
    ADD_BYTES(0, weights, x0);
    ADD_BYTES(1, weights, x0);
    ADD_BYTES(2, weights, x0);
    ADD_BYTES(3, weights, x0);
    ADD_BYTES(0, weights + 256, x1);
    ADD_BYTES(1, weights + 256, x1);
    ADD_BYTES(2, weights + 256, x1);
    ADD_BYTES(3, weights + 256, x1);
    weights += 512;
  }
}

/// sums = sums + dots · (scale of the row · scales of the tile), then + sum of the row · minimums.
/// The sums of 16 outputs of each row are in memory: the dots need the registers.
INLINE void add_group(
    int rows, size_t stride, const uint8_t *groups, const float32x4_t scales[QUARTERS], bool minimum,
    const float32x4_t minimums[QUARTERS], int32x4_t dots[MAX_ROWS][QUARTERS], float (*sums)[INGOT_TILE]) {
  UNROLL for (int r = 0; r < rows; r++) {
    const activation_group *a = group_of(groups, stride, r);
    UNROLL for (int v = 0; v < QUARTERS; v++) {
      float32x4_t s = vld1q_f32(sums[r] + 4 * v);
      s = vfmaq_f32(s, dot_float(dots[r][v]), vmulq_n_f32(scales[v], a->scale));
      if (minimum) s = vfmaq_n_f32(s, minimums[v], a->sum);
      vst1q_f32(sums[r] + 4 * v, s);
    }
  }
}

INLINE float32x4_t halves(const uint16_t *p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }

#endif
