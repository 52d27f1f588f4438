#include "ingot_hash.h"

#include <string.h>

static const uint64_t P1 = 0x9E3779B185EBCA87u, P2 = 0xC2B2AE3D27D4EB4Fu, P3 = 0x165667B19E3779F9u,
                      P4 = 0x85EBCA77C2B2AE63u, P5 = 0x27D4EB2F165667C5u;

static uint64_t rotate(uint64_t x, int by) { return (x << by) | (x >> (64 - by)); }

static uint64_t word64(const uint8_t *p) {
  uint64_t x = 0;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  for (int i = 7; i >= 0; i--) x = (x << 8) | p[i];
#else
  memcpy(&x, p, sizeof x);
#endif
  return x;
}

static uint64_t word32(const uint8_t *p) {
  return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24;
}

static uint64_t round64(uint64_t lane, uint64_t word) { return rotate(lane + word * P2, 31) * P1; }

static uint64_t merge(uint64_t hash, uint64_t lane) { return (hash ^ round64(0, lane)) * P1 + P4; }

uint64_t ingot_hash64(const void *data, size_t count, uint64_t seed) {
  const uint8_t *p = data;
  size_t rest = count;
  uint64_t hash = seed + P5;
  if (count >= 32) {
    uint64_t a = seed + P1 + P2, b = seed + P2, c = seed, d = seed - P1;
    for (; rest >= 32; rest -= 32, p += 32) {
      a = round64(a, word64(p));
      b = round64(b, word64(p + 8));
      c = round64(c, word64(p + 16));
      d = round64(d, word64(p + 24));
    }
    hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
    hash = merge(merge(merge(merge(hash, a), b), c), d);
  }
  hash += count;
  for (; rest >= 8; rest -= 8, p += 8) hash = rotate(hash ^ round64(0, word64(p)), 27) * P1 + P4;
  if (rest >= 4) {
    hash = rotate(hash ^ word32(p) * P1, 23) * P2 + P3;
    rest -= 4;
    p += 4;
  }
  for (; rest > 0; rest--, p++) hash = rotate(hash ^ *p * P5, 11) * P1;
  hash = (hash ^ (hash >> 33)) * P2;
  hash = (hash ^ (hash >> 29)) * P3;
  return hash ^ (hash >> 32);
}
