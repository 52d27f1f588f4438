// Dequantisation of GGUF blocks, bit for bit as the `gguf` Python package (0.19) does.
//
// Each type is one inlined loop, compiled twice: for the baseline and for AVX2, where the compiler's
// vectoriser does the rest. No FMA in either, since the package rounds after every operation.
#include "ingot_convert.h"

#include <string.h>

#pragma STDC FP_CONTRACT OFF

#define INLINE static inline __attribute__((always_inline))

INLINE float half_at(const uint8_t *source) {
  uint32_t half = (uint32_t)source[0] | (uint32_t)source[1] << 8;
  uint32_t sign = (half & 0x8000) << 16, magnitude = half & 0x7FFF, bits;
  float value;
  if (magnitude >= 0x7C00) {
    bits = 0x7F800000 | (magnitude & 1023) << 13 | (magnitude > 0x7C00 ? 0x00400000 : 0);
  } else if (magnitude < 0x0400) {
    value = (float)magnitude * 5.9604644775390625e-8f;  // 2^-24: a subnormal
    memcpy(&bits, &value, 4);
  } else {
    bits = (magnitude << 13) + (112u << 23);
  }
  bits |= sign;
  memcpy(&value, &bits, 4);
  return value;
}

INLINE uint32_t word_at(const uint8_t *source) {
  return (uint32_t)source[0] | (uint32_t)source[1] << 8 | (uint32_t)source[2] << 16
      | (uint32_t)source[3] << 24;
}

/// f16 d, 16 bytes: the low nibbles are the first half of the weights. w = d (q - 8).
INLINE void q4_0(const uint8_t *restrict source, float *restrict target) {
  float d = half_at(source);
  const uint8_t *restrict q = source + 2;
  for (int i = 0; i < 16; i++) target[i] = d * (float)((q[i] & 15) - 8);
  for (int i = 0; i < 16; i++) target[i + 16] = d * (float)((q[i] >> 4) - 8);
}

/// f16 d, f16 m, 16 bytes. w = d q + m.
INLINE void q4_1(const uint8_t *restrict source, float *restrict target) {
  float d = half_at(source), m = half_at(source + 2);
  const uint8_t *restrict q = source + 4;
  for (int i = 0; i < 16; i++) target[i] = d * (float)(q[i] & 15) + m;
  for (int i = 0; i < 16; i++) target[i + 16] = d * (float)(q[i] >> 4) + m;
}

/// f16 d, u32 of fifth bits, 16 bytes. w = d (q - 16).
INLINE void q5_0(const uint8_t *restrict source, float *restrict target) {
  float d = half_at(source);
  uint32_t high = word_at(source + 2);
  const uint8_t *restrict q = source + 6;
  for (int i = 0; i < 16; i++) {
    target[i] = d * (float)((int)((q[i] & 15) | (high >> i & 1) << 4) - 16);
  }
  for (int i = 0; i < 16; i++) {
    target[i + 16] = d * (float)((int)((q[i] >> 4) | (high >> (i + 16) & 1) << 4) - 16);
  }
}

/// f16 d, f16 m, u32 of fifth bits, 16 bytes. w = d q + m.
INLINE void q5_1(const uint8_t *restrict source, float *restrict target) {
  float d = half_at(source), m = half_at(source + 2);
  uint32_t high = word_at(source + 4);
  const uint8_t *restrict q = source + 8;
  for (int i = 0; i < 16; i++) {
    target[i] = d * (float)(int)((q[i] & 15) | (high >> i & 1) << 4) + m;
  }
  for (int i = 0; i < 16; i++) {
    target[i + 16] = d * (float)(int)((q[i] >> 4) | (high >> (i + 16) & 1) << 4) + m;
  }
}

/// f16 d, 32 signed bytes. w = d q.
INLINE void q8_0(const uint8_t *restrict source, float *restrict target) {
  float d = half_at(source);
  const int8_t *restrict q = (const int8_t *)source + 2;
  for (int i = 0; i < 32; i++) target[i] = d * (float)q[i];
}

/// The 6-bit scale and minimum of sub-block `j`, packed with seven others into 12 bytes.
INLINE void k_scale(const uint8_t *packed, int j, float *scale, float *minimum) {
  if (j < 4) {
    *scale = (float)(packed[j] & 63);
    *minimum = (float)(packed[j + 4] & 63);
  } else {
    *scale = (float)((packed[j + 4] & 15) | (packed[j - 4] >> 6) << 4);
    *minimum = (float)((packed[j + 4] >> 4) | (packed[j] >> 6) << 4);
  }
}

/// f16 d, f16 dmin, 12 bytes of scales, 128 bytes: 32 bytes hold two sub-blocks of 32 weights.
/// w = (d scale) q - dmin minimum.
INLINE void q4_k(const uint8_t *restrict source, float *restrict target) {
  float d = half_at(source), dmin = half_at(source + 2);
  for (int j = 0; j < 8; j += 2) {
    const uint8_t *restrict q = source + 16 + 16 * j;
    float *restrict out = target + 32 * j;
    float s0, m0, s1, m1;
    k_scale(source + 4, j, &s0, &m0);
    k_scale(source + 4, j + 1, &s1, &m1);
    s0 = d * s0, m0 = dmin * m0, s1 = d * s1, m1 = dmin * m1;
    for (int i = 0; i < 32; i++) out[i] = s0 * (float)(q[i] & 15) - m0;
    for (int i = 0; i < 32; i++) out[i + 32] = s1 * (float)(q[i] >> 4) - m1;
  }
}

/// As Q4_K with 32 bytes of fifth bits after the scales: bit j of byte i belongs to sub-block j.
INLINE void q5_k(const uint8_t *restrict source, float *restrict target) {
  float d = half_at(source), dmin = half_at(source + 2);
  const uint8_t *restrict high = source + 16;
  for (int j = 0; j < 8; j += 2) {
    const uint8_t *restrict q = source + 48 + 16 * j;
    float *restrict out = target + 32 * j;
    float s0, m0, s1, m1;
    k_scale(source + 4, j, &s0, &m0);
    k_scale(source + 4, j + 1, &s1, &m1);
    s0 = d * s0, m0 = dmin * m0, s1 = d * s1, m1 = dmin * m1;
    for (int i = 0; i < 32; i++) {
      out[i] = s0 * (float)((q[i] & 15) | (high[i] >> j & 1) << 4) - m0;
    }
    for (int i = 0; i < 32; i++) {
      out[i + 32] = s1 * (float)((q[i] >> 4) | (high[i] >> (j + 1) & 1) << 4) - m1;
    }
  }
}

/// 128 bytes of low nibbles, 64 of high bit pairs, 16 signed scales of 16 weights each, f16 d.
/// w = (d scale) (q - 32).
INLINE void q6_k(const uint8_t *restrict source, float *restrict target) {
  float d = half_at(source + 208);
  for (int half = 0; half < 2; half++) {
    const uint8_t *restrict low = source + 64 * half;
    const uint8_t *restrict high = source + 128 + 32 * half;
    const int8_t *scales = (const int8_t *)source + 192 + 8 * half;
    float *restrict out = target + 128 * half;
    for (int part = 0; part < 2; part++) {
      float s0 = d * (float)scales[part], s1 = d * (float)scales[part + 2];
      float s2 = d * (float)scales[part + 4], s3 = d * (float)scales[part + 6];
      for (int l = 16 * part; l < 16 * part + 16; l++) {
        out[l] = s0 * (float)(((low[l] & 15) | (high[l] & 3) << 4) - 32);
        out[l + 32] = s1 * (float)(((low[l + 32] & 15) | (high[l] >> 2 & 3) << 4) - 32);
        out[l + 64] = s2 * (float)(((low[l] >> 4) | (high[l] >> 4 & 3) << 4) - 32);
        out[l + 96] = s3 * (float)(((low[l + 32] >> 4) | (high[l] >> 6) << 4) - 32);
      }
    }
  }
}

INLINE int dequantize(ingot_block type, const uint8_t *source, float *target, size_t blocks) {
  size_t b = 0;
  switch (type) {
    case INGOT_BLOCK_Q4_0: for (; b < blocks; b++) q4_0(source + 18 * b, target + 32 * b); return 0;
    case INGOT_BLOCK_Q4_1: for (; b < blocks; b++) q4_1(source + 20 * b, target + 32 * b); return 0;
    case INGOT_BLOCK_Q5_0: for (; b < blocks; b++) q5_0(source + 22 * b, target + 32 * b); return 0;
    case INGOT_BLOCK_Q5_1: for (; b < blocks; b++) q5_1(source + 24 * b, target + 32 * b); return 0;
    case INGOT_BLOCK_Q8_0: for (; b < blocks; b++) q8_0(source + 34 * b, target + 32 * b); return 0;
    case INGOT_BLOCK_Q4_K: for (; b < blocks; b++) q4_k(source + 144 * b, target + 256 * b); return 0;
    case INGOT_BLOCK_Q5_K: for (; b < blocks; b++) q5_k(source + 176 * b, target + 256 * b); return 0;
    case INGOT_BLOCK_Q6_K: for (; b < blocks; b++) q6_k(source + 210 * b, target + 256 * b); return 0;
  }
  return -1;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static int dequantize_avx2(
    ingot_block type, const uint8_t *source, float *target, size_t blocks) {
  return dequantize(type, source, target, blocks);
}
#endif

static int dequantize_portable(
    ingot_block type, const uint8_t *source, float *target, size_t blocks) {
  return dequantize(type, source, target, blocks);
}

int ingot_dequantize(ingot_block type, const void *source, float *target, size_t blocks) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return dequantize_avx2(type, source, target, blocks);
#endif
  return dequantize_portable(type, source, target, blocks);
}

size_t ingot_block_weights(ingot_block type) {
  switch (type) {
    case INGOT_BLOCK_Q4_0:
    case INGOT_BLOCK_Q4_1:
    case INGOT_BLOCK_Q5_0:
    case INGOT_BLOCK_Q5_1:
    case INGOT_BLOCK_Q8_0: return 32;
    case INGOT_BLOCK_Q4_K:
    case INGOT_BLOCK_Q5_K:
    case INGOT_BLOCK_Q6_K: return 256;
  }
  return 0;
}

size_t ingot_block_bytes(ingot_block type) {
  switch (type) {
    case INGOT_BLOCK_Q4_0: return 18;
    case INGOT_BLOCK_Q4_1: return 20;
    case INGOT_BLOCK_Q5_0: return 22;
    case INGOT_BLOCK_Q5_1: return 24;
    case INGOT_BLOCK_Q8_0: return 34;
    case INGOT_BLOCK_Q4_K: return 144;
    case INGOT_BLOCK_Q5_K: return 176;
    case INGOT_BLOCK_Q6_K: return 210;
  }
  return 0;
}
