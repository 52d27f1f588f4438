/// Sizes of the data caches, by which loops are blocked.
#ifndef INGOT_CACHE_SIZES_H
#define INGOT_CACHE_SIZES_H

#include <stdint.h>

/// Bytes of the data cache of a level (1, 2 or 3) that one core can use; a common size where the system does not
/// tell. Asked once per process.
int64_t ingot_cache_bytes(int level);

#endif
