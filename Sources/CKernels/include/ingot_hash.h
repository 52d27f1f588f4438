/// A fast digest, to tell contents apart; no protection against forgery.
#ifndef INGOT_HASH_H
#define INGOT_HASH_H

#include <stddef.h>
#include <stdint.h>

/// XXH64 of `count` bytes, the same on every machine. `data` needs no alignment.
/// Source: xxHash specification 0.1.1.
uint64_t ingot_hash64(const void *data, size_t count, uint64_t seed);

#endif
