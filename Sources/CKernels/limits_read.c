/// The machine's limits: read bandwidth.
#include "ingot_limits.h"

#include <string.h>
#include <sys/mman.h>

#include "clock.h"

#if defined(__x86_64__)
#define TARGET_AVX2 __attribute__((target("avx2,fma")))
#endif
#define UNROLL _Pragma("clang loop unroll(full)")

enum {
  READ_CHUNK = 1 << 20,
  STREAMS = 4,
  AHEAD = 1024,  ///< bytes fetched before they are needed, in each stream
};

typedef uint64_t vector16 __attribute__((vector_size(16)));
typedef uint64_t vector32 __attribute__((vector_size(32)));

typedef struct reading {
  const char *data;
  int ahead;    ///< 0: plain loads, one stream
  int wide;     ///< 32-byte loads
} reading;

/// Reads 64 bytes at a time from `streams` places, with vectors of one type.
#define READ_BODY(vector)                                                                    \
  vector sums[STREAMS][64 / sizeof(vector)];                                                 \
  memset(sums, 0, sizeof sums);                                                              \
  size_t part = READ_CHUNK / (size_t)streams;                                                \
  for (size_t i = 0; i < part; i += 64)                                                      \
    UNROLL for (int s = 0; s < streams; s++) {                                               \
      const char *p = data + (size_t)s * part + i;                                           \
      if (ahead) __builtin_prefetch(p + ahead, 0, 3);                                        \
      UNROLL for (size_t v = 0; v < 64 / sizeof(vector); v++) sums[s][v] ^= ((const vector *)p)[v]; \
    }                                                                                        \
  __asm__ volatile("" : : "r"(sums) : "memory")

#define INLINE static inline __attribute__((always_inline))
INLINE void read_16(const char *data, int streams, int ahead) { READ_BODY(vector16); }
#if defined(__x86_64__)
TARGET_AVX2 INLINE void read_32(const char *data, int streams, int ahead) { READ_BODY(vector32); }
TARGET_AVX2 static void read_chunk_32(const char *data, int ahead) {
  if (ahead) read_32(data, STREAMS, AHEAD);
  else read_32(data, 1, 0);
}
#endif

static void read_chunk(void *argument, int64_t chunk, int thread) {
  (void)thread;
  const reading *r = argument;
  const char *data = r->data + chunk * READ_CHUNK;
#if defined(__x86_64__)
  if (r->wide) return read_chunk_32(data, r->ahead);
#endif
  if (r->ahead) read_16(data, STREAMS, AHEAD);
  else read_16(data, 1, 0);
}

/// Written by the threads that will read, so that the memory is theirs on machines with several nodes.
static void touch_chunk(void *argument, int64_t chunk, int thread) {
  memset((char *)argument + chunk * READ_CHUNK, thread + 1, READ_CHUNK);
}

double ingot_limit_read(ingot_pool *pool, int threads, ingot_isa isa, size_t bytes, double seconds) {
  int64_t chunks = (int64_t)(bytes / READ_CHUNK);
  if (chunks == 0) return 0;
  // A map of its own goes back to the system at once. One page more, for what is fetched ahead of the end.
  size_t size = (size_t)chunks * READ_CHUNK + 4096;
  void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) return 0;
#if defined(MADV_HUGEPAGE)
  madvise(data, size, MADV_HUGEPAGE);
#endif
  ingot_pool_run(pool, threads, touch_chunk, data, chunks);
  double best = 1e30, end = now() + seconds;
  for (int pass = 0; pass < 8 || now() < end; pass++) {
    reading r = {data, pass % 2, isa != INGOT_ISA_PORTABLE};
    double start = now();
    ingot_pool_run(pool, threads, read_chunk, &r, chunks);
    double taken = now() - start;
    if (taken < best) best = taken;
  }
  munmap(data, size);
  return (double)chunks * READ_CHUNK / best;
}
