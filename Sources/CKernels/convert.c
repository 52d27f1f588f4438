// Bulk conversion between float and its 16-bit forms. Neither side needs alignment.
#include "ingot_convert.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static inline uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return bits;
}

static inline float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

/// As F16C does: subnormals kept, signalling NaNs made quiet with their payload.
static inline float half_to_float(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000) << 16;
  uint32_t exponent = (half >> 10) & 31, mantissa = half & 1023;
  if (exponent == 31) {
    return float_of(sign | 0x7F800000 | mantissa << 13 | (mantissa ? 0x00400000 : 0));
  }
  if (exponent == 0) {
    // A subnormal is mantissa * 2^-24, exact in float.
    return float_of(sign | bits_of((float)mantissa * 5.9604644775390625e-8f));
  }
  return float_of(sign | (exponent + 112) << 23 | mantissa << 13);
}

static inline uint16_t float_to_half(float value) {
  uint32_t bits = bits_of(value);
  uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
  bits &= 0x7FFFFFFF;
  if (bits > 0x7F800000) return (uint16_t)(sign | 0x7E00 | (bits >> 13 & 0x3FF));
  // 65520 is halfway between the largest half and infinity: ties go to even, which is infinity.
  if (bits >= 0x477FF000) return sign | 0x7C00;
  if (bits >= 0x38800000) {
    uint32_t odd = bits >> 13 & 1;
    return (uint16_t)(sign | (bits - 0x38000000 + 0xFFF + odd) >> 13);
  }
  // Subnormal or zero: adding 0.5 leaves the value's multiple of 2^-24, rounded to even, in the low
  // mantissa bits, since floats in [0.5, 1) have that spacing.
  return (uint16_t)(sign | (bits_of(float_of(bits) + 0.5f) - 0x3F000000));
}

static inline uint16_t float_to_bfloat(float value) {
  uint32_t bits = bits_of(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

static void half_to_float_portable(const char *source, char *target, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint16_t half;
    memcpy(&half, source + 2 * i, 2);
    float value = half_to_float(half);
    memcpy(target + 4 * i, &value, 4);
  }
}

static void float_to_half_portable(const char *source, char *target, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float value;
    memcpy(&value, source + 4 * i, 4);
    uint16_t half = float_to_half(value);
    memcpy(target + 2 * i, &half, 2);
  }
}

#if defined(__x86_64__)
__attribute__((target("avx,f16c"))) static size_t half_to_float_f16c(
    const char *source, char *target, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m128i half = _mm_loadu_si128((const __m128i *)(source + 2 * i));
    _mm256_storeu_ps((float *)(target + 4 * i), _mm256_cvtph_ps(half));
  }
  return i;
}

__attribute__((target("avx,f16c"))) static size_t float_to_half_f16c(
    const char *source, char *target, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m256 value = _mm256_loadu_ps((const float *)(source + 4 * i));
    _mm_storeu_si128((__m128i *)(target + 2 * i), _mm256_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT));
  }
  return i;
}

/// Adds to `overflow` lanes that are not zero where a finite value became infinite.
__attribute__((target("avx2,f16c"))) static size_t bfloat_to_half_f16c(
    const char *source, char *target, size_t count, int *overflow) {
  const __m128i magnitude = _mm_set1_epi16(0x7FFF), limit = _mm_set1_epi16(0x477F), infinity = _mm_set1_epi16(0x7F80);
  __m128i over = _mm_setzero_si128();
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m128i bfloat = _mm_loadu_si128((const __m128i *)(source + 2 * i));
    __m256 value = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bfloat), 16));
    _mm_storeu_si128((__m128i *)(target + 2 * i), _mm256_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT));
    __m128i size = _mm_and_si128(bfloat, magnitude);
    over = _mm_or_si128(over, _mm_and_si128(_mm_cmpgt_epi16(size, limit), _mm_cmpgt_epi16(infinity, size)));
  }
  *overflow |= _mm_movemask_epi8(over) != 0;
  return i;
}
#endif

void ingot_f16_to_f32(const uint16_t *source, float *target, size_t count) {
  size_t done = 0;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("f16c")) {
    done = half_to_float_f16c((const char *)source, (char *)target, count);
  }
#endif
  half_to_float_portable((const char *)source + 2 * done, (char *)target + 4 * done, count - done);
}

void ingot_f32_to_f16(const float *source, uint16_t *target, size_t count) {
  size_t done = 0;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("f16c")) {
    done = float_to_half_f16c((const char *)source, (char *)target, count);
  }
#endif
  float_to_half_portable((const char *)source + 4 * done, (char *)target + 2 * done, count - done);
}

void ingot_bf16_to_f32(const uint16_t *source, float *target, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint16_t half;
    memcpy(&half, (const char *)source + 2 * i, 2);
    uint32_t bits = (uint32_t)half << 16;
    memcpy((char *)target + 4 * i, &bits, 4);
  }
}

void ingot_f32_to_bf16(const float *source, uint16_t *target, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float value;
    memcpy(&value, (const char *)source + 4 * i, 4);
    uint16_t half = float_to_bfloat(value);
    memcpy((char *)target + 2 * i, &half, 2);
  }
}

int ingot_bf16_to_f16(const uint16_t *source, uint16_t *target, size_t count) {
  size_t done = 0;
  int overflow = 0;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c")) {
    done = bfloat_to_half_f16c((const char *)source, (char *)target, count, &overflow);
  }
#endif
  for (size_t i = done; i < count; i++) {
    uint16_t bfloat;
    memcpy(&bfloat, (const char *)source + 2 * i, 2);
    uint16_t half = float_to_half(float_of((uint32_t)bfloat << 16));
    memcpy((char *)target + 2 * i, &half, 2);
    overflow |= (half & 0x7FFF) == 0x7C00 && (bfloat & 0x7FFF) != 0x7F80;
  }
  return overflow;
}

int ingot_f32_overflows(const float *source, size_t count, float limit) {
  int32_t first = (int32_t)bits_of(limit), over = 0;
  for (size_t i = 0; i < count; i++) {
    int32_t bits;
    memcpy(&bits, (const char *)source + 4 * i, 4);
    bits &= 0x7FFFFFFF;
    over |= (bits >= first) & (bits < 0x7F800000);
  }
  return over;
}
