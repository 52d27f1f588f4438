/// A clock for measuring limits.
#ifndef INGOT_CLOCK_H
#define INGOT_CLOCK_H

#include <time.h>

/// Seconds since some moment.
static inline double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif
