/// The matrix products in plain C: the oracle of the other kernels, and the only one on other processors.
/// The lanes of a tile are an inner loop of 16, which compilers turn into vectors.
#include <math.h>

#include "matmul_internal.h"

/// dots[lane] = Σ x[k] w[k][lane], one fused multiply-add after the other.
static void float_dots(ingot_format format, const float *x, int64_t k, const void *tile, float *dots) {
  float sums[INGOT_TILE] = {0};
  for (int64_t i = 0; i < k; i++) {
    float w[INGOT_TILE];
    if (format == INGOT_F32) {
      memcpy(w, (const float *)tile + i * INGOT_TILE, sizeof w);
    } else {
      const uint16_t *halves = (const uint16_t *)tile + i * INGOT_TILE;
      for (int lane = 0; lane < INGOT_TILE; lane++)
        w[lane] = format == INGOT_F16 ? half_float(halves[lane]) : bfloat_float(halves[lane]);
    }
    for (int lane = 0; lane < INGOT_TILE; lane++) sums[lane] = fmaf(x[i], w[lane], sums[lane]);
  }
  memcpy(dots, sums, sizeof sums);
}

static void add_int8(const int8_t *q, int32_t group, const int8_t *weights, int32_t *dots) {
  for (int32_t i = 0; i < group; i += 4)
    for (int lane = 0; lane < INGOT_TILE; lane++)
      for (int j = 0; j < 4; j++) dots[lane] += q[i + j] * weights[i * INGOT_TILE + lane * 4 + j];
}

static void add_int4(const int8_t *q, int32_t group, const uint8_t *weights, int32_t *dots) {
  for (int32_t block = 0; block < group; block += 32, q += 32, weights += 256)
    for (int i = 0; i < 4; i++)
      for (int lane = 0; lane < INGOT_TILE; lane++)
        for (int j = 0; j < 4; j++) {
          int byte = weights[(i * INGOT_TILE + lane) * 4 + j];
          dots[lane] += q[4 * i + j] * (byte & 15) + q[16 + 4 * i + j] * (byte >> 4);
        }
}

/// dots = Σ over groups of (q · w) d_x d_w, then of Σq d_x times the minimum, in this order within a group.
static void integer_dots(const matmul_call *call, int64_t row, const uint8_t *tile, float *dots) {
  ingot_format format = call->weight.format;
  int32_t group = call->weight.group;
  const int8_t *q = call_row(call, row);
  const activation_group *groups = call_row_groups(call, row);
  const uint16_t *scales = (const uint16_t *)tile;
  const uint8_t *weights = tile + call->scale_bytes;
  float sums[INGOT_TILE] = {0};
  for (int64_t g = 0; g < call->groups; g++, q += group) {
    int32_t exact[INGOT_TILE];
    for (int lane = 0; lane < INGOT_TILE; lane++) exact[lane] = format == INGOT_I4 ? groups[g].minus_8 : 0;
    if (format_is_int4(format)) {
      add_int4(q, group, weights, exact);
      weights += group * INGOT_TILE / 2;
    } else {
      add_int8(q, group, (const int8_t *)weights, exact);
      weights += group * INGOT_TILE;
    }
    for (int lane = 0; lane < INGOT_TILE; lane++)
      sums[lane] = fmaf((float)exact[lane], groups[g].scale * half_float(scales[lane]), sums[lane]);
    scales += INGOT_TILE;
    if (format_has_minimum(format)) {
      for (int lane = 0; lane < INGOT_TILE; lane++)
        sums[lane] = fmaf(groups[g].sum, half_float(scales[lane]), sums[lane]);
      scales += INGOT_TILE;
    }
  }
  memcpy(dots, sums, sizeof sums);
}

void ingot_matmul_portable(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  const ingot_matmul_arguments *a = &call->arguments;
  for (int64_t t = tile; t < tile + tiles; t++)
    for (int64_t r = row; r < row + rows; r++) {
      float dots[INGOT_TILE];
      if (format_is_float(call->weight.format))
        float_dots(call->weight.format, a->x + r * a->x_stride, call->weight.k, call_tile(call, t), dots);
      else
        integer_dots(call, r, call_tile(call, t), dots);
      ingot_finish_tile(call, r, t, dots);
    }
}
