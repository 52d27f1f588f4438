// Splits GGUF blocks into integers and scales. Layouts: ggml's `ggml-common.h`, block_q4_0 and its siblings.
#include "include/ingot_repack.h"

#include <math.h>
#include <string.h>

ingot_format ingot_repacked_format(ingot_block type) {
  switch (type) {
    case INGOT_BLOCK_Q4_0: return INGOT_I4;
    case INGOT_BLOCK_Q4_1: case INGOT_BLOCK_Q4_K: return INGOT_I4M;
    case INGOT_BLOCK_Q5_1: case INGOT_BLOCK_Q5_K: return INGOT_I8M;
    case INGOT_BLOCK_Q5_0: case INGOT_BLOCK_Q8_0: case INGOT_BLOCK_Q6_K: return INGOT_I8;
  }
  return INGOT_F32;
}

static float half_at(const uint8_t *bytes) {
  uint16_t half;
  float value;
  memcpy(&half, bytes, 2);
  ingot_f16_to_f32(&half, &value, 1);
  return value;
}

/// To f16 without becoming infinite: a hostile file must not turn weights into NaN later.
static uint16_t to_half(float value) {
  uint16_t half;
  float bounded = fminf(fmaxf(value, -65504.0f), 65504.0f);
  ingot_f32_to_f16(&bounded, &half, 1);
  return half;
}

static void split_nibbles(const uint8_t *nibbles, int8_t *q) {
  for (int i = 0; i < 16; i++) {
    q[i] = (int8_t)(nibbles[i] & 15);
    q[i + 16] = (int8_t)(nibbles[i] >> 4);
  }
}

/// Adds the fifth bits of Q5_0 and Q5_1 and an offset.
static void add_fifth_bits(const uint8_t *bits, int offset, int8_t *q) {
  uint32_t high;
  memcpy(&high, bits, 4);
  for (int i = 0; i < 32; i++) q[i] = (int8_t)(q[i] + (int)((high >> i & 1) << 4) + offset);
}

/// The j-th of the eight 6-bit scales and minimums of Q4_K and Q5_K.
static void scale_and_minimum(const uint8_t *packed, int j, int *scale, int *minimum) {
  if (j < 4) {
    *scale = packed[j] & 63;
    *minimum = packed[j + 4] & 63;
  } else {
    *scale = (packed[j + 4] & 15) | (packed[j - 4] >> 6) << 4;
    *minimum = packed[j + 4] >> 4 | (packed[j] >> 6) << 4;
  }
}

static void split_k_block(int bits, const uint8_t *block, int8_t *q, uint16_t *scales, uint16_t *minimums) {
  float d = half_at(block), d_minimum = half_at(block + 2);
  const uint8_t *high = block + 16, *low = block + (bits == 5 ? 48 : 16);
  for (int group = 0; group < 8; group++) {
    int scale, minimum;
    scale_and_minimum(block + 4, group, &scale, &minimum);
    scales[group] = to_half(d * (float)scale);
    minimums[group] = to_half(-(d_minimum * (float)minimum));
    for (int i = 0; i < 32; i++) {
      int value = low[32 * (group / 2) + i] >> (group % 2 * 4) & 15;
      if (bits == 5) value |= (high[i] >> group & 1) << 4;
      q[32 * group + i] = (int8_t)value;
    }
  }
}

/// Requantises dequantised weights to 8 bits with a scale per 32.
static void requantise(const float *weights, int groups, int8_t *q, uint16_t *scales) {
  for (int group = 0; group < groups; group++) {
    const float *w = weights + 32 * group;
    float largest = 0;
    for (int i = 0; i < 32; i++) largest = fmaxf(largest, fabsf(w[i]));
    scales[group] = to_half(largest / 127.0f);
    float scale = half_at((const uint8_t *)&scales[group]);
    float inverse = scale > 0 ? 1.0f / scale : 0.0f;
    for (int i = 0; i < 32; i++) {
      float value = rintf(w[i] * inverse);
      q[32 * group + i] = (int8_t)(value > 127 ? 127 : value < -127 ? -127 : value == value ? value : 0);
    }
  }
}

int ingot_split_blocks(
    ingot_block type, const void *source, size_t blocks, int8_t *q, uint16_t *scales, uint16_t *minimums) {
  const uint8_t *block = source;
  size_t weights = ingot_block_weights(type), bytes = ingot_block_bytes(type);
  if (weights == 0) return -1;
  for (size_t b = 0; b < blocks; b++, block += bytes, q += weights, scales += weights / 32) {
    uint16_t *minimum = minimums == NULL ? NULL : minimums + b * (weights / 32);
    switch (type) {
      case INGOT_BLOCK_Q4_0:
        memcpy(scales, block, 2);
        split_nibbles(block + 2, q);
        break;
      case INGOT_BLOCK_Q4_1:
        memcpy(scales, block, 2);
        memcpy(minimum, block + 2, 2);
        split_nibbles(block + 4, q);
        break;
      case INGOT_BLOCK_Q5_0:
        memcpy(scales, block, 2);
        split_nibbles(block + 6, q);
        add_fifth_bits(block + 2, -16, q);
        break;
      case INGOT_BLOCK_Q5_1:
        memcpy(scales, block, 2);
        memcpy(minimum, block + 2, 2);
        split_nibbles(block + 8, q);
        add_fifth_bits(block + 4, 0, q);
        break;
      case INGOT_BLOCK_Q8_0:
        memcpy(scales, block, 2);
        memcpy(q, block + 2, 32);
        break;
      case INGOT_BLOCK_Q4_K: split_k_block(4, block, q, scales, minimum); break;
      case INGOT_BLOCK_Q5_K: split_k_block(5, block, q, scales, minimum); break;
      case INGOT_BLOCK_Q6_K: {
        float decoded[256];
        ingot_dequantize(type, block, decoded, 1);
        requantise(decoded, 8, q, scales);
        break;
      }
    }
  }
  return 0;
}
