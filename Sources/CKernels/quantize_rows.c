/// Rows of activations to signed bytes with one scale per group.
///
/// Per group: amax = max |x|, scale = amax / 127, q = x · (127 / amax) to the nearest integer, ties to even; the
/// scale is then kept to 11 bits.
/// |x| ≤ amax, and the two roundings lift 127 by less than a half, so q is within ±127 without a clamp.
/// amax is taken over the bits of |x| as integers: order-independent, with NaN above infinity above the rest.
#include <math.h>

#include "matmul_internal.h"

void ingot_quantize_row_portable(const float *x, int64_t k, int32_t group, int8_t *q, activation_group *groups) {
  for (int64_t start = 0; start < k; start += group, q += group, groups++) {
    int32_t count = k - start < group ? (int32_t)(k - start) : group;
    uint32_t amax_bits = 0;
    for (int32_t i = 0; i < count; i++) {
      uint32_t bits = float_bits(x[start + i]) & 0x7fffffff;
      amax_bits = bits > amax_bits ? bits : amax_bits;
    }
    float scale = activation_scale(amax_bits);
    int32_t sum = 0;
    memset(q, 0, (size_t)group);
    if (scale > 0) {
      float inverse = 127.0f / bits_float(amax_bits);
      for (int32_t i = 0; i < count; i++) {
        q[i] = (int8_t)rintf(x[start + i] * inverse);
        sum += q[i];
      }
    }
    *groups = activation_group_make(scale, sum);
  }
}

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET_AVX2 __attribute__((target("avx2,fma,f16c")))

TARGET_AVX2 static inline uint32_t max_of_lanes(__m256i v) {
  __m128i m = _mm_max_epu32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  m = _mm_max_epu32(m, _mm_shuffle_epi32(m, 0x4e));
  m = _mm_max_epu32(m, _mm_shuffle_epi32(m, 0xb1));
  return (uint32_t)_mm_cvtsi128_si32(m);
}

TARGET_AVX2 static inline int32_t sum_of_lanes(__m256i v) {
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
  return _mm_cvtsi128_si32(s);
}

/// One whole group.
TARGET_AVX2 static inline void quantize_group(const float *x, int32_t group, int8_t *q, activation_group *out) {
  const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
  __m256i high = _mm256_setzero_si256(), higher = high;
  for (int32_t i = 0; i < group; i += 16) {
    __m256i a = _mm256_castps_si256(_mm256_loadu_ps(x + i)), b = _mm256_castps_si256(_mm256_loadu_ps(x + i + 8));
    high = _mm256_max_epu32(high, _mm256_and_si256(a, magnitude));
    higher = _mm256_max_epu32(higher, _mm256_and_si256(b, magnitude));
  }
  uint32_t amax_bits = max_of_lanes(_mm256_max_epu32(high, higher));
  float scale = activation_scale(amax_bits);
  if (!(scale > 0)) {
    memset(q, 0, (size_t)group);
    *out = activation_group_make(scale, 0);
    return;
  }
  const __m256 inverse = _mm256_set1_ps(127.0f / bits_float(amax_bits));
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);  // the packs work within halves
  __m256i sums = _mm256_setzero_si256();
  for (int32_t i = 0; i < group; i += 32) {
    __m256i v[4];
    for (int j = 0; j < 4; j++)
      v[j] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + i + 8 * j), inverse));
    __m256i ab = _mm256_packs_epi32(v[0], v[1]), cd = _mm256_packs_epi32(v[2], v[3]);
    __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(ab, cd), order);
    _mm256_storeu_si256((__m256i *)(q + i), bytes);
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_add_epi16(ab, cd), _mm256_set1_epi16(1)));
  }
  *out = activation_group_make(scale, sum_of_lanes(sums));
}

#define QUANTIZE_ROW TARGET_AVX2 void ingot_quantize_row_avx2
#elif defined(__aarch64__)
#include <arm_neon.h>

/// One whole group.
static inline void quantize_group(const float *x, int32_t group, int8_t *q, activation_group *out) {
  const uint32x4_t magnitude = vdupq_n_u32(0x7fffffff);
  uint32x4_t high[4] = {vdupq_n_u32(0), vdupq_n_u32(0), vdupq_n_u32(0), vdupq_n_u32(0)};
  for (int32_t i = 0; i < group; i += 16)
    for (int j = 0; j < 4; j++)
      high[j] = vmaxq_u32(high[j], vandq_u32(vreinterpretq_u32_f32(vld1q_f32(x + i + 4 * j)), magnitude));
  uint32_t amax_bits = vmaxvq_u32(vmaxq_u32(vmaxq_u32(high[0], high[1]), vmaxq_u32(high[2], high[3])));
  float scale = activation_scale(amax_bits);
  if (!(scale > 0)) {
    memset(q, 0, (size_t)group);
    *out = activation_group_make(scale, 0);
    return;
  }
  const float32x4_t inverse = vdupq_n_f32(127.0f / bits_float(amax_bits));
  int32x4_t sums = vdupq_n_s32(0);
  for (int32_t i = 0; i < group; i += 16) {
    int32x4_t v[4];
    for (int j = 0; j < 4; j++) v[j] = vcvtnq_s32_f32(vmulq_f32(vld1q_f32(x + i + 4 * j), inverse));
    int16x8_t a = vcombine_s16(vmovn_s32(v[0]), vmovn_s32(v[1]));
    int16x8_t b = vcombine_s16(vmovn_s32(v[2]), vmovn_s32(v[3]));
    vst1q_s8(q + i, vcombine_s8(vmovn_s16(a), vmovn_s16(b)));
    sums = vpadalq_s16(sums, vaddq_s16(a, b));
  }
  *out = activation_group_make(scale, vaddvq_s32(sums));
}

#define QUANTIZE_ROW void ingot_quantize_row_neon
#endif

#ifdef QUANTIZE_ROW
QUANTIZE_ROW(const float *x, int64_t k, int32_t group, int8_t *q, activation_group *groups) {
  int64_t start = 0;
  for (; start + group <= k; start += group) quantize_group(x + start, group, q + start, groups++);
  if (start == k) return;
  float rest[128] = {0};
  memcpy(rest, x + start, (size_t)(k - start) * sizeof(float));
  quantize_group(rest, group, q + start, groups);
}
#endif
