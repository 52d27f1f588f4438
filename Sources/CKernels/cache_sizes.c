#include "cache_sizes.h"

#include <pthread.h>
#include <unistd.h>

#if defined(__APPLE__)
#include <sys/sysctl.h>
#endif

static int64_t sizes[4] = {0, 32 << 10, 512 << 10, 8 << 20};
static pthread_once_t asked = PTHREAD_ONCE_INIT;

static void set(int level, int64_t bytes) {
  // A virtual machine may report nothing, or nonsense.
  if (bytes >= 4096 && bytes <= (int64_t)1 << 32) sizes[level] = bytes;
}

static void ask(void) {
#if defined(__APPLE__)
  static const char *const names[] = {"hw.l1dcachesize", "hw.l2cachesize", "hw.l3cachesize"};
  for (int level = 1; level <= 3; level++) {
    int64_t bytes = 0;
    size_t length = sizeof bytes;
    if (sysctlbyname(names[level - 1], &bytes, &length, NULL, 0) == 0) set(level, bytes);
  }
#elif defined(_SC_LEVEL1_DCACHE_SIZE)
  set(1, sysconf(_SC_LEVEL1_DCACHE_SIZE));
  set(2, sysconf(_SC_LEVEL2_CACHE_SIZE));
  set(3, sysconf(_SC_LEVEL3_CACHE_SIZE));
#endif
}

int64_t ingot_cache_bytes(int level) {
  pthread_once(&asked, ask);
  return sizes[level];
}
