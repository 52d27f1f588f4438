/// The machine's limits: products in registers, fork-join.
///
/// A new instruction set takes a body for 8-bit products and one for floats, and a row in `int8_body` and `f32_body`.
#include "ingot_limits.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define TARGET_AVX2 __attribute__((target("avx2,fma")))
#define TARGET_AVX_VNNI __attribute__((target("avx2,fma,avxvnni")))
#define TARGET_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#elif defined(__aarch64__)
#include <arm_neon.h>
#define TARGET_DOTPROD __attribute__((target("dotprod")))
#define TARGET_I8MM __attribute__((target("i8mm")))
#endif

/// Sums that advance side by side: latency 4 to 5 times 2 products a cycle, and registers for the operands.
enum { SUMS = 12 };
#define UNROLL _Pragma("clang loop unroll(full)")

// MARK: Products in registers

/// Runs `rounds` rounds of SUMS vector products; `sink` takes what they give so that none is left out.
typedef void (*body)(int64_t rounds, void *sink);
typedef struct peak {
  body run;
  int operations;  ///< of one vector product
} peak;

typedef int16_t words __attribute__((vector_size(16)));
typedef float floats __attribute__((vector_size(16)));

static void int8_portable(int64_t rounds, void *sink) {
  words sums[SUMS], a = {15, 14, 13, 12, 11, 10, 9, 8}, b = a - 12;
  UNROLL for (int s = 0; s < SUMS; s++) sums[s] = a - a;
  for (int64_t i = 0; i < rounds; i++) {
    // Unknown to the compiler each time, so that no product is computed once for all.
    __asm__ volatile("" : "+m"(a));
    UNROLL for (int s = 0; s < SUMS; s++) sums[s] = sums[s] * a + b;
  }
  UNROLL for (int s = 1; s < SUMS; s++) sums[0] ^= sums[s];
  memcpy(sink, sums, sizeof sums[0]);
}

static void f32_portable(int64_t rounds, void *sink) {
  floats sums[SUMS], a = {0.5f, 0.25f, 0.125f, 0.5f}, one = {1, 1, 1, 1};
  UNROLL for (int s = 0; s < SUMS; s++) sums[s] = a;
  for (int64_t i = 0; i < rounds; i++) UNROLL for (int s = 0; s < SUMS; s++) sums[s] = sums[s] * a + one;
  UNROLL for (int s = 1; s < SUMS; s++) sums[0] += sums[s];
  memcpy(sink, sums, sizeof sums[0]);
}

#if defined(__x86_64__)
TARGET_AVX2 static void int8_avx2(int64_t rounds, void *sink) {
  __m256i sums[SUMS], a = _mm256_set1_epi8(15), b = _mm256_set1_epi8(-3);
  UNROLL for (int s = 0; s < SUMS; s++) sums[s] = _mm256_setzero_si256();
  for (int64_t i = 0; i < rounds; i++)
    UNROLL for (int s = 0; s < SUMS; s++) {
      // As above.
      __asm__ volatile("" : "+x"(a));
      sums[s] = _mm256_add_epi16(sums[s], _mm256_maddubs_epi16(a, b));
    }
  UNROLL for (int s = 1; s < SUMS; s++) sums[0] = _mm256_xor_si256(sums[0], sums[s]);
  _mm256_storeu_si256(sink, sums[0]);
}

TARGET_AVX2 static void f32_avx2(int64_t rounds, void *sink) {
  __m256 sums[SUMS], a = _mm256_set1_ps(0.5f), b = _mm256_set1_ps(1);
  UNROLL for (int s = 0; s < SUMS; s++) sums[s] = _mm256_setzero_ps();
  for (int64_t i = 0; i < rounds; i++)
    UNROLL for (int s = 0; s < SUMS; s++) {
      __asm__ volatile("" : "+x"(sums[s]));
      sums[s] = _mm256_fmadd_ps(a, b, sums[s]);
    }
  UNROLL for (int s = 1; s < SUMS; s++) sums[0] = _mm256_add_ps(sums[0], sums[s]);
  _mm256_storeu_ps(sink, sums[0]);
}

TARGET_AVX_VNNI static void int8_avxvnni(int64_t rounds, void *sink) {
  __m256i sums[SUMS], a = _mm256_set1_epi8(15), b = _mm256_set1_epi8(-3);
  UNROLL for (int s = 0; s < SUMS; s++) sums[s] = _mm256_setzero_si256();
  for (int64_t i = 0; i < rounds; i++)
    UNROLL for (int s = 0; s < SUMS; s++) {
      __asm__ volatile("" : "+x"(sums[s]));
      sums[s] = _mm256_dpbusd_avx_epi32(sums[s], a, b);
    }
  UNROLL for (int s = 1; s < SUMS; s++) sums[0] = _mm256_xor_si256(sums[0], sums[s]);
  _mm256_storeu_si256(sink, sums[0]);
}

TARGET_AVX512 static void int8_vnni(int64_t rounds, void *sink) {
  __m512i sums[SUMS], a = _mm512_set1_epi8(15), b = _mm512_set1_epi8(-3);
  UNROLL for (int s = 0; s < SUMS; s++) sums[s] = _mm512_setzero_si512();
  for (int64_t i = 0; i < rounds; i++)
    UNROLL for (int s = 0; s < SUMS; s++) {
      __asm__ volatile("" : "+v"(sums[s]));
      sums[s] = _mm512_dpbusd_epi32(sums[s], a, b);
    }
  UNROLL for (int s = 1; s < SUMS; s++) sums[0] = _mm512_xor_si512(sums[0], sums[s]);
  _mm512_storeu_si512(sink, sums[0]);
}

TARGET_AVX512 static void f32_avx512(int64_t rounds, void *sink) {
  __m512 sums[SUMS], a = _mm512_set1_ps(0.5f), b = _mm512_set1_ps(1);
  UNROLL for (int s = 0; s < SUMS; s++) sums[s] = _mm512_setzero_ps();
  for (int64_t i = 0; i < rounds; i++)
    UNROLL for (int s = 0; s < SUMS; s++) {
      __asm__ volatile("" : "+v"(sums[s]));
      sums[s] = _mm512_fmadd_ps(a, b, sums[s]);
    }
  UNROLL for (int s = 1; s < SUMS; s++) sums[0] = _mm512_add_ps(sums[0], sums[s]);
  _mm512_storeu_ps(sink, sums[0]);
}
#elif defined(__aarch64__)
#define NEON_INT8(NAME, TARGET, PRODUCT) \
  TARGET static void NAME(int64_t rounds, void *sink) { \
    int32x4_t sums[SUMS]; \
    int8x16_t a = vdupq_n_s8(15), b = vdupq_n_s8(-3); \
    UNROLL for (int s = 0; s < SUMS; s++) sums[s] = vdupq_n_s32(0); \
    for (int64_t i = 0; i < rounds; i++) \
      UNROLL for (int s = 0; s < SUMS; s++) { \
        __asm__ volatile("" : "+w"(sums[s])); \
        sums[s] = PRODUCT(sums[s], a, b); \
      } \
    UNROLL for (int s = 1; s < SUMS; s++) sums[0] = veorq_s32(sums[0], sums[s]); \
    memcpy(sink, sums, sizeof sums[0]); \
  }
NEON_INT8(int8_dotprod, TARGET_DOTPROD, vdotq_s32)
NEON_INT8(int8_i8mm, TARGET_I8MM, vmmlaq_s32)
#endif

static peak int8_body(ingot_isa isa) {
  switch (isa) {
    case INGOT_ISA_PORTABLE: break;
#if defined(__x86_64__)
    case INGOT_ISA_NEON:
    case INGOT_ISA_I8MM: break;
    case INGOT_ISA_AVX2: return (peak){int8_avx2, 2 * 32};
    case INGOT_ISA_AVX_VNNI: return (peak){int8_avxvnni, 2 * 32};
    case INGOT_ISA_AVX512_VNNI: return (peak){int8_vnni, 2 * 64};
#elif defined(__aarch64__)
    case INGOT_ISA_NEON: return (peak){int8_dotprod, 2 * 16};
    case INGOT_ISA_I8MM: return (peak){int8_i8mm, 2 * 32};
    case INGOT_ISA_AVX2:
    case INGOT_ISA_AVX_VNNI:
    case INGOT_ISA_AVX512_VNNI: break;
#else
    case INGOT_ISA_NEON:
    case INGOT_ISA_I8MM:
    case INGOT_ISA_AVX2:
    case INGOT_ISA_AVX_VNNI:
    case INGOT_ISA_AVX512_VNNI: break;
#endif
  }
  return (peak){int8_portable, 2 * 8};
}

static peak f32_body(ingot_isa isa) {
  switch (isa) {
    case INGOT_ISA_PORTABLE:
    case INGOT_ISA_NEON:
    case INGOT_ISA_I8MM: break;  // plain vectors are NEON's
#if defined(__x86_64__)
    case INGOT_ISA_AVX2:
    case INGOT_ISA_AVX_VNNI: return (peak){f32_avx2, 2 * 8};
    case INGOT_ISA_AVX512_VNNI: return (peak){f32_avx512, 2 * 16};
#else
    case INGOT_ISA_AVX2:
    case INGOT_ISA_AVX_VNNI:
    case INGOT_ISA_AVX512_VNNI: break;
#endif
  }
  return (peak){f32_portable, 2 * 4};
}

/// Rounds of a chunk: some 10 µs, long beside the handing out of chunks.
enum { ROUNDS = 2000, CHUNKS_PER_THREAD = 64 };
enum { SINK_BYTES = 64 };

static void peak_chunk(void *argument, int64_t chunk, int thread) {
  (void)chunk, (void)thread;
  char sink[SINK_BYTES];
  ((const peak *)argument)->run(ROUNDS, sink);
  // As if somebody read it.
  __asm__ volatile("" : : "r"(sink) : "memory");
}

static double best_rate(ingot_pool *pool, int threads, peak what, double seconds) {
  int64_t chunks = (int64_t)threads * CHUNKS_PER_THREAD;
  double best = 1e30, end = now() + seconds;
  for (int pass = 0; pass < 3 || now() < end; pass++) {
    double start = now();
    ingot_pool_run(pool, threads, peak_chunk, &what, chunks);
    double taken = now() - start;
    if (taken < best) best = taken;
  }
  return (double)chunks * ROUNDS * SUMS * what.operations / best;
}

double ingot_limit_int8(ingot_pool *pool, int threads, ingot_isa isa, double seconds) {
  return best_rate(pool, threads, int8_body(isa), seconds);
}

double ingot_limit_f32(ingot_pool *pool, int threads, ingot_isa isa, double seconds) {
  return best_rate(pool, threads, f32_body(isa), seconds);
}

// MARK: Fork-join

enum { FORK_JOINS = 400 };

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median_run(ingot_pool *pool, int threads, peak *what, int64_t chunks) {
  double times[FORK_JOINS];
  for (int i = 0; i < FORK_JOINS; i++) {
    double start = now();
    ingot_pool_run(pool, threads, peak_chunk, what, chunks);
    times[i] = now() - start;
  }
  qsort(times, FORK_JOINS, sizeof(double), ascending);
  return times[FORK_JOINS / 2];
}

double ingot_limit_fork_join(ingot_pool *pool, int threads, ingot_isa isa) {
  if (pool == NULL || threads < 2) return 0;
  peak what = f32_body(isa);
  ingot_pool_wake(pool);
  double together = median_run(pool, threads, &what, threads), alone = median_run(pool, 1, &what, 1);
  return together > alone ? together - alone : 0;
}
