/// The integer formats with products of 8-bit matrices (FEAT_I8MM) for many rows.
///
/// One instruction multiplies two rows by two outputs over eight inputs: twice what a dot product does. Unpacking a
/// stretch of a tile also joins the inputs of an output by eights. Sums stay in the instruction's shape, two outputs
/// of a row and then of the next row, until they are stored: rearranging every group would cost half of the gain.
#if defined(__aarch64__)
#define TARGET __attribute__((target("dotprod,i8mm")))
#include "matmul_neon_dots.h"
#include "matmul_neon_panel.h"

enum { PAIRS = INGOT_TILE / 2 };  ///< of outputs

/// Eight inputs of four outputs, given as twice four inputs.
static inline void store_eights(uint8_t *to, uint8x16_t first, uint8x16_t second) {
  uint32x4_t a = vreinterpretq_u32_u8(first), b = vreinterpretq_u32_u8(second);
  vst1q_u32((uint32_t *)to, vzip1q_u32(a, b));
  vst1q_u32((uint32_t *)to + 4, vzip2q_u32(a, b));
}

/// To [k/8][16][8].
static void unpack_weights(const matmul_call *call, const uint8_t *from, int64_t count, neon_panel *out) {
  const uint8x16_t low = vdupq_n_u8(15);
  bool int4 = format_is_int4(call->weight.format);
  uint8_t *to = out->weights;
  for (int64_t k = 0; k < count; k += 32, to += 512, from += int4 ? 256 : 512)
    for (int i = 0; i < (int4 ? 256 : 512); i += 128)
      for (int v = 0; v < 64; v += 16) {
        uint8x16_t a = vld1q_u8(from + i + v), b = vld1q_u8(from + i + 64 + v);
        if (!int4) {
          store_eights(to + i + 2 * v, a, b);
          continue;
        }
        store_eights(to + i + 2 * v, vandq_u8(a, low), vandq_u8(b, low));
        store_eights(to + 256 + i + 2 * v, vshrq_n_u8(a, 4), vshrq_n_u8(b, 4));
      }
}

/// Each pair of outputs twice, for the two rows.
INLINE void unpack_halves(const uint16_t *from, float *to) {
  for (int v = 0; v < QUARTERS; v++, to += 8) {
    float32x4_t d = halves(from + 4 * v);
    vst1q_f32(to, vcombine_f32(vget_low_f32(d), vget_low_f32(d)));
    vst1q_f32(to + 4, vcombine_f32(vget_high_f32(d), vget_high_f32(d)));
  }
}

/// Unpacks inputs [start, start + count) of one tile.
TARGET static void unpack(
    const matmul_call *call, const uint8_t *tile, int64_t start, int64_t count, neon_panel *out) {
  unpack_weights(call, panel_source(call, tile, start), count, out);
  bool minimum = format_has_minimum(call->weight.format);
  int64_t groups = count / call->weight.group;
  const uint16_t *scales = panel_scales(call, tile, start);
  for (int64_t g = 0; g < groups; g++, scales += INGOT_TILE) {
    unpack_halves(scales, out->scales[g]);
    if (minimum) scales += INGOT_TILE, unpack_halves(scales, out->minimums[g]);
  }
}

/// One value of a row twice, then one of the next row.
INLINE float32x4_t both(float a, float b) { return vcombine_f32(vdup_n_f32(a), vdup_n_f32(b)); }

/// Adds a stretch of `groups` groups to the dots of one or two pairs of rows; the last row may stand for two.
INLINE void add_stretch(
    const matmul_call *call, int pairs, int32_t group, int64_t row, int64_t last, int64_t start, int64_t groups,
    const neon_panel *from, float (*sums)[PAIRS][4]) {
  ingot_format format = call->weight.format;
  bool minimum = format_has_minimum(format);
  const int8_t *q[4];
  const activation_group *a[4];
  UNROLL for (int r = 0; r < 2 * pairs; r++) {
    int64_t at = row + r < last ? row + r : last;
    q[r] = call_row(call, at) + start;
    a[r] = call_row_groups(call, at) + start / group;
  }
  const int8_t *weights = (const int8_t *)from->weights;
  for (int64_t g = 0; g < groups; g++) {
    int32x4_t dots[2][PAIRS];
    UNROLL for (int i = 0; i < pairs; i++) {
      int32x4_t first = first_dot(format, a[2 * i] + g), second = first_dot(format, a[2 * i + 1] + g);
      first = vcombine_s32(vget_low_s32(first), vget_low_s32(second));
      UNROLL for (int p = 0; p < PAIRS; p++) dots[i][p] = first;
    }
    for (int32_t k = 0; k < group; k += 32, weights += 32 * INGOT_TILE) {
      int8x16_t x[2][4];
      UNROLL for (int i = 0; i < pairs; i++)
        UNROLL for (int half = 0; half < 2; half++) {
          int64x2_t first = vreinterpretq_s64_s8(vld1q_s8(q[2 * i] + g * group + k + 16 * half));
          int64x2_t second = vreinterpretq_s64_s8(vld1q_s8(q[2 * i + 1] + g * group + k + 16 * half));
          x[i][2 * half] = vreinterpretq_s8_s64(vzip1q_s64(first, second));
          x[i][2 * half + 1] = vreinterpretq_s8_s64(vzip2q_s64(first, second));
        }
      UNROLL for (int eight = 0; eight < 4; eight++)
        UNROLL for (int p = 0; p < PAIRS; p++) {
          int8x16_t w = vld1q_s8(weights + 8 * INGOT_TILE * eight + 16 * p);
          UNROLL for (int i = 0; i < pairs; i++) {
            dots[i][p] = vmmlaq_s32(dots[i][p], x[i][eight], w);
            IN_ORDER(dots[i][p]);
          }
        }
    }
    UNROLL for (int i = 0; i < pairs; i++) {
      const activation_group *first = a[2 * i] + g, *second = a[2 * i + 1] + g;
      float32x4_t scale = both(first->scale, second->scale), sum = both(first->sum, second->sum);
      UNROLL for (int p = 0; p < PAIRS; p++) {
        float32x4_t s = vld1q_f32(sums[i][p]);
        s = vfmaq_f32(s, dot_float(dots[i][p]), vmulq_f32(scale, vld1q_f32(from->scales[g] + 4 * p)));
        if (minimum) s = vfmaq_f32(s, sum, vld1q_f32(from->minimums[g] + 4 * p));
        vst1q_f32(sums[i][p], s);
      }
    }
  }
}

INLINE void add_rows(
    const matmul_call *call, int32_t group, int64_t row, int64_t rows, int64_t start, int64_t groups,
    const neon_panel *from, float (*sums)[PAIRS][4]) {
  int64_t last = row + rows - 1;
  for (; row < last - 1; row += 4, sums += 2) add_stretch(call, 2, group, row, last, start, groups, from, sums);
  if (row <= last) add_stretch(call, 1, group, row, last, start, groups, from, sums);
}

TARGET void ingot_matmul_i8mm_panel(
    const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  neon_panel unpacked;
  float sums[(ROW_BLOCK + 1) / 2][PAIRS][4], dots[INGOT_TILE];
  int32_t group = call->weight.group;
  for (int64_t end = tile + tiles; tile < end; tile++) {
    memset(sums, 0, sizeof sums);
    for (int64_t start = 0; start < call->padded_k; start += STRETCH) {
      int64_t length = call->padded_k - start < STRETCH ? call->padded_k - start : STRETCH;
      unpack(call, call_tile(call, tile), start, length, &unpacked);
      if (group == 32) add_rows(call, 32, row, rows, start, length / 32, &unpacked, sums);
      else add_rows(call, group, row, rows, start, length / group, &unpacked, sums);
    }
    for (int64_t r = 0; r < rows; r++) {
      for (int p = 0; p < PAIRS; p++) memcpy(dots + 2 * p, &sums[r / 2][p][r % 2 * 2], 2 * sizeof *dots);
      ingot_finish_tile(call, row + r, tile, dots);
    }
  }
}
#endif
