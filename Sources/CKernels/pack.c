/// Weights to tiles and back.
#include "include/ingot_grouped.h"
#include "matmul_internal.h"

static size_t element_bytes(ingot_format format) { return format == INGOT_F32 ? 4 : 2; }

static int64_t groups_of(int64_t k, int32_t group) { return (k + group - 1) / group; }

size_t ingot_tile_bytes(ingot_format format, int64_t k, int32_t group) {
  if (format_is_float(format)) return (size_t)round_up(k * INGOT_TILE * (int64_t)element_bytes(format), 64);
  int64_t groups = groups_of(k, group);
  size_t weights = (size_t)(groups * group) * INGOT_TILE;
  return tile_scale_bytes(format, groups) + (format_is_int4(format) ? weights / 2 : weights);
}

size_t ingot_weight_bytes(ingot_format format, int64_t n, int64_t k, int32_t group) {
  return (size_t)((n + INGOT_TILE - 1) / INGOT_TILE) * ingot_tile_bytes(format, k, group);
}

void ingot_pack_float_tile(
    ingot_format format, int64_t k, const void *source, int64_t stride, int rows, void *tile) {
  if (rows < INGOT_TILE || k % 2 != 0) memset(tile, 0, ingot_tile_bytes(format, k, 0));
  if (format == INGOT_F32) {
    const uint32_t *from = source;
    uint32_t *to = tile;
    for (int64_t i = 0; i < k; i++)
      for (int row = 0; row < rows; row++) to[i * INGOT_TILE + row] = from[row * stride + i];
  } else {
    const uint16_t *from = source;
    uint16_t *to = tile;
    for (int64_t i = 0; i < k; i++)
      for (int row = 0; row < rows; row++) to[i * INGOT_TILE + row] = from[row * stride + i];
  }
}

/// The stored integer that means "no weight" beside a scale of zero. For symmetric int4 it is 8, so that padded
/// inputs are zero whatever the scale.
static uint8_t padding_of(ingot_format format) { return format == INGOT_I4 ? 8 : 0; }

static void pack_int8_row(int64_t k, const int8_t *q, uint8_t *lane) {
  int64_t i = 0;
  for (; i + 4 <= k; i += 4) memcpy(lane + i * INGOT_TILE, q + i, 4);
  if (i < k) memcpy(lane + i * INGOT_TILE, q + i, (size_t)(k - i));
}

static void pack_int4_row(int64_t k, const int8_t *q, uint8_t padding, uint8_t *lane) {
  for (int64_t start = 0; start < k; start += 32, lane += 256) {
    int8_t block[32];
    int64_t count = k - start < 32 ? k - start : 32;
    memset(block, padding, sizeof block);
    memcpy(block, q + start, (size_t)count);
    for (int i = 0; i < 4; i++) {
      uint8_t bytes[4];
      for (int j = 0; j < 4; j++)
        bytes[j] = (uint8_t)((block[4 * i + j] & 15) | (block[16 + 4 * i + j] & 15) << 4);
      memcpy(lane + i * 64, bytes, 4);
    }
  }
}

void ingot_pack_integer_tile(
    ingot_format format, int64_t k, int32_t group, const int8_t *q, const uint16_t *scales,
    const uint16_t *minimums, int rows, void *tile) {
  int64_t groups = groups_of(k, group);
  size_t scale_bytes = tile_scale_bytes(format, groups), bytes = ingot_tile_bytes(format, k, group);
  bool minimum = format_has_minimum(format);
  uint8_t padding = padding_of(format);
  memset(tile, 0, scale_bytes);
  if (rows < INGOT_TILE || k != groups * group)
    memset((uint8_t *)tile + scale_bytes, padding | padding << 4, bytes - scale_bytes);
  uint16_t *lane_scales = tile;
  int64_t step = minimum ? 2 * INGOT_TILE : INGOT_TILE;
  for (int row = 0; row < rows; row++) {
    for (int64_t g = 0; g < groups; g++) {
      lane_scales[g * step + row] = scales[row * groups + g];
      if (minimum) lane_scales[g * step + INGOT_TILE + row] = minimums[row * groups + g];
    }
    uint8_t *lane = (uint8_t *)tile + scale_bytes + row * 4;
    if (format_is_int4(format)) pack_int4_row(k, q + row * k, padding, lane);
    else pack_int8_row(k, q + row * k, lane);
  }
}

/// The integer stored for input i of a lane.
static int stored_integer(ingot_format format, const uint8_t *weights, int64_t i, int lane) {
  if (!format_is_int4(format)) return (int8_t)weights[i / 4 * 64 + lane * 4 + i % 4];
  int64_t within = i % 32;
  uint8_t byte = weights[i / 32 * 256 + within % 16 / 4 * 64 + lane * 4 + within % 4];
  return within < 16 ? byte & 15 : byte >> 4;
}

void ingot_unpack_row(ingot_format format, int64_t k, int32_t group, const void *tile, int lane, float *target) {
  if (format == INGOT_F32) {
    for (int64_t i = 0; i < k; i++) target[i] = ((const float *)tile)[i * INGOT_TILE + lane];
    return;
  }
  if (format_is_float(format)) {
    const uint16_t *from = tile;
    for (int64_t i = 0; i < k; i++) {
      uint16_t value = from[i * INGOT_TILE + lane];
      target[i] = format == INGOT_F16 ? half_float(value) : bfloat_float(value);
    }
    return;
  }
  bool minimum = format_has_minimum(format);
  const uint16_t *scales = (const uint16_t *)tile + lane;
  const uint8_t *weights = (const uint8_t *)tile + tile_scale_bytes(format, groups_of(k, group));
  int64_t step = minimum ? 2 * INGOT_TILE : INGOT_TILE;
  int offset = format == INGOT_I4 ? 8 : 0;
  for (int64_t i = 0; i < k; i++) {
    const uint16_t *of_group = scales + i / group * step;
    float value = half_float(of_group[0]) * (float)(stored_integer(format, weights, i, lane) - offset);
    target[i] = minimum ? value + half_float(of_group[INGOT_TILE]) : value;
  }
}

void ingot_unpack_integers(
    ingot_format format, int64_t k, int32_t group, const void *tile, int lane, int8_t *q, uint16_t *scales,
    uint16_t *minimums) {
  bool minimum = format_has_minimum(format);
  const uint16_t *of_lane = (const uint16_t *)tile + lane;
  const uint8_t *weights = (const uint8_t *)tile + tile_scale_bytes(format, groups_of(k, group));
  for (int64_t g = 0; g < groups_of(k, group); g++) {
    scales[g] = of_lane[0];
    if (minimum) minimums[g] = of_lane[INGOT_TILE];
    of_lane += minimum ? 2 * INGOT_TILE : INGOT_TILE;
  }
  for (int64_t i = 0; i < k; i++) q[i] = (int8_t)stored_integer(format, weights, i, lane);
}
