// Weights to integers, rounding to nearest. The loops are plain C that the compiler vectorises, once for the baseline
// and once for AVX2; no step may be fused or reordered, so both give the same bits.
#include <string.h>

#include "ingot_convert.h"
#include "ingot_quantize.h"

#define INLINE static inline __attribute__((always_inline))
#if defined(__x86_64__)
#define TARGET_AVX2 __attribute__((target("avx2")))
#endif

/// Integers that compare as the floats do; NaNs lie beyond the infinities.
INLINE int32_t ordered(int32_t bits) { return bits ^ (bits >> 31 & 0x7FFFFFFF); }

INLINE float float_of_ordered(int32_t value) {
  float result;
  value = ordered(value);
  memcpy(&result, &value, 4);
  return result;
}

INLINE int range_body(const float *x, int64_t count, float *low, float *high) {
  int32_t least = 0x7FFFFFFF, most = -0x7FFFFFFF - 1;
  for (int64_t i = 0; i < count; i++) {
    int32_t bits;
    memcpy(&bits, x + i, 4);
    bits = ordered(bits);
    least = bits < least ? bits : least;
    most = bits > most ? bits : most;
  }
  *low = float_of_ordered(least);
  *high = float_of_ordered(most);
  return most < 0x7F800000 && least > ordered((int32_t)0xFF800000);
}

INLINE void codes_body(const float *x, int64_t count, float scale, int32_t zero, int32_t first, int32_t last, uint8_t *codes) {
  for (int64_t i = 0; i < count; i++) {
    // 1.5 · 2^23 leaves the nearest integer, ties to even, in the low bits.
    float shifted = x[i] / scale + 12582912.0f;
    int32_t code;
    memcpy(&code, &shifted, 4);
    code += zero - 0x4B400000;
    code = code < first ? first : code;
    codes[i] = (uint8_t)(code > last ? last : code);
  }
}

static int range_portable(const float *x, int64_t count, float *low, float *high) {
  return range_body(x, count, low, high);
}
static void codes_portable(
    const float *x, int64_t count, float scale, int32_t zero, int32_t first, int32_t last, uint8_t *codes) {
  codes_body(x, count, scale, zero, first, last, codes);
}
#if defined(__x86_64__)
TARGET_AVX2 static int range_avx2(const float *x, int64_t count, float *low, float *high) {
  return range_body(x, count, low, high);
}
TARGET_AVX2 static void codes_avx2(
    const float *x, int64_t count, float scale, int32_t zero, int32_t first, int32_t last, uint8_t *codes) {
  codes_body(x, count, scale, zero, first, last, codes);
}
#endif

static float stored(ingot_scale type, float scale) {
  uint16_t half;
  switch (type) {
    case INGOT_SCALE_F32: break;
    case INGOT_SCALE_F16:
      ingot_f32_to_f16(&scale, &half, 1);
      ingot_f16_to_f32(&half, &scale, 1);
      break;
    case INGOT_SCALE_BF16:
      ingot_f32_to_bf16(&scale, &half, 1);
      ingot_bf16_to_f32(&half, &scale, 1);
      break;
  }
  return scale;
}

ingot_quantized ingot_group_scale(
    ingot_isa isa, const ingot_quantizer *quantizer, const float *x, int64_t count, float *scale, uint8_t *zero) {
  float low = 0, high = 0;
  int middle = 1 << (quantizer->bits - 1), levels = 2 * middle - 1, finite = 1;
  *scale = 1;
  *zero = quantizer->symmetric ? (uint8_t)middle : 0;
  if (count <= 0) return INGOT_QUANTIZED;
#if defined(__x86_64__)
  if (isa >= INGOT_ISA_AVX2) finite = range_avx2(x, count, &low, &high);
  else
#endif
    finite = range_portable(x, count, &low, &high);
  if (!finite) return INGOT_NOT_FINITE;
  float wanted;
  if (!quantizer->symmetric) {
    low = low < 0 ? low : 0;
    high = high > 0 ? high : 0;
    wanted = (high - low) / (float)levels;
  } else if (quantizer->bits == 4) {
    wanted = (high > -low ? high : low) / -8.0f;
  } else {
    wanted = (high > -low ? high : -low) / 127.0f;
  }
  wanted = stored(quantizer->scale, wanted);
  if (wanted - wanted != 0) return INGOT_SCALE_TOO_LARGE;
  if (wanted == 0) return INGOT_QUANTIZED;
  *scale = wanted;
  if (!quantizer->symmetric) {
    float middle_code = -low / wanted + 0.5f;
    *zero = (uint8_t)(middle_code < (float)levels ? middle_code : (float)levels);
  }
  return INGOT_QUANTIZED;
}

void ingot_group_codes(
    ingot_isa isa, const ingot_quantizer *quantizer, const float *x, int64_t count, float scale, uint8_t zero,
    uint8_t *codes) {
  int32_t first = quantizer->symmetric && quantizer->bits == 8, last = (1 << quantizer->bits) - 1;
#if defined(__x86_64__)
  if (isa >= INGOT_ISA_AVX2) {
    codes_avx2(x, count, scale, zero, first, last, codes);
    return;
  }
#endif
  codes_portable(x, count, scale, zero, first, last, codes);
}

ingot_quantized ingot_quantize_groups(
    ingot_isa isa, const ingot_quantizer *quantizer, const float *x, int64_t count, int64_t group, uint8_t *codes,
    float *scales, uint8_t *zeros) {
  for (int64_t start = 0; start < count; start += group, scales++, zeros++) {
    int64_t length = count - start < group ? count - start : group;
    ingot_quantized status = ingot_group_scale(isa, quantizer, x + start, length, scales, zeros);
    if (status != INGOT_QUANTIZED) return status;
    ingot_group_codes(isa, quantizer, x + start, length, *scales, *zeros, codes + start);
  }
  return INGOT_QUANTIZED;
}

void ingot_quantization_error(
    const float *x, int64_t count, int64_t group, const uint8_t *codes, const float *scales, const uint8_t *zeros,
    double *error, double *energy) {
  for (int64_t i = 0; i < count; i++) {
    double back = (double)(codes[i] - zeros[i / group]) * (double)scales[i / group];
    *error += ((double)x[i] - back) * ((double)x[i] - back);
    *energy += (double)x[i] * (double)x[i];
  }
}

void ingot_pack_nibbles(const uint8_t *codes, uint8_t *target, int64_t count) {
  uint8_t packed[256];
  int64_t i = 0;
  // By way of `packed`, since target may be codes.
  for (; i + 512 <= count; i += 512) {
    for (int j = 0; j < 256; j++) packed[j] = (uint8_t)(codes[i + 2 * j] | codes[i + 2 * j + 1] << 4);
    memcpy(target + i / 2, packed, 256);
  }
  for (; i + 2 <= count; i += 2) target[i / 2] = (uint8_t)(codes[i] | codes[i + 1] << 4);
  if (i < count) target[i / 2] = codes[i];
}

void ingot_flip(uint8_t *bytes, uint8_t mask, int64_t count) {
  for (int64_t i = 0; i < count; i++) bytes[i] ^= mask;
}
