/// The AVX-512 names the kernels use, as SIMDe's emulation in AVX2.
#ifndef INGOT_EMULATED_AVX512_H
#define INGOT_EMULATED_AVX512_H

#include <simde/x86/avx512.h>

#define __m512 simde__m512
#define __m512i simde__m512i
#define _mm512_add_epi32 simde_mm512_add_epi32
#define _mm512_and_si512 simde_mm512_and_si512
#define _mm512_castsi512_ps simde_mm512_castsi512_ps
#define _mm512_dpbusd_epi32 simde_mm512_dpbusd_epi32
#define _mm512_fmadd_ps simde_mm512_fmadd_ps
#define _mm512_loadu_ps simde_mm512_loadu_ps
#define _mm512_loadu_si512 simde_mm512_loadu_si512
#define _mm512_mul_ps simde_mm512_mul_ps
#define _mm512_set1_epi32 simde_mm512_set1_epi32
#define _mm512_set1_epi8 simde_mm512_set1_epi8
#define _mm512_set1_ps simde_mm512_set1_ps
#define _mm512_setzero_ps simde_mm512_setzero_ps
#define _mm512_setzero_si512 simde_mm512_setzero_si512
#undef _mm512_slli_epi32
#define _mm512_slli_epi32 simde_mm512_slli_epi32
#undef _mm512_srli_epi16
#define _mm512_srli_epi16 simde_mm512_srli_epi16
#define _mm512_storeu_ps simde_mm512_storeu_ps
#define _mm512_storeu_si512 simde_mm512_storeu_si512
#define _mm512_xor_si512 simde_mm512_xor_si512

/// Conversions that SIMDe 0.7 lacks, by halves.
#define _mm512_cvtph_ps emulated_cvtph_ps
static inline simde__m512 emulated_cvtph_ps(__m256i a) {
  float values[16];
  _mm256_storeu_ps(values, _mm256_cvtph_ps(_mm256_castsi256_si128(a)));
  _mm256_storeu_ps(values + 8, _mm256_cvtph_ps(_mm256_extracti128_si256(a, 1)));
  return simde_mm512_loadu_ps(values);
}
#define _mm512_cvtepi32_ps emulated_cvtepi32_ps
static inline simde__m512 emulated_cvtepi32_ps(simde__m512i a) {
  int32_t integers[16];
  float values[16];
  simde_mm512_storeu_si512(integers, a);
  for (int i = 0; i < 16; i++) values[i] = (float)integers[i];
  return simde_mm512_loadu_ps(values);
}
#define _mm512_cvtepu16_epi32 emulated_cvtepu16_epi32
static inline simde__m512i emulated_cvtepu16_epi32(__m256i a) {
  uint16_t halves[16];
  uint32_t wide[16];
  _mm256_storeu_si256((__m256i *)halves, a);
  for (int i = 0; i < 16; i++) wide[i] = halves[i];
  return simde_mm512_loadu_si512(wide);
}

#endif
