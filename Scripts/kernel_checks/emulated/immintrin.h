/// Stands before the compiler's header: VNNI in AVX2, for processors without it.
#ifndef INGOT_EMULATED_IMMINTRIN_H
#define INGOT_EMULATED_IMMINTRIN_H

#include_next <immintrin.h>

/// Bytes as 16 bits, even and odd ones apart: `maddubs` would saturate.
#define _mm256_dpbusd_avx_epi32 emulated_dpbusd
static inline __m256i emulated_dpbusd(__m256i sum, __m256i u, __m256i s) {
  __m256i even = _mm256_madd_epi16(
      _mm256_and_si256(u, _mm256_set1_epi16(255)), _mm256_srai_epi16(_mm256_slli_epi16(s, 8), 8));
  __m256i odd = _mm256_madd_epi16(_mm256_srli_epi16(u, 8), _mm256_srai_epi16(s, 8));
  return _mm256_add_epi32(sum, _mm256_add_epi32(even, odd));
}

#ifdef INGOT_EMULATE_AVX512
#include "avx512.h"
#endif

#endif
