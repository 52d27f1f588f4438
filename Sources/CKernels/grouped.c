/// Rows of grouped integers: to and from integers, scales and minimums.
#include <string.h>

#include "include/ingot_convert.h"
#include "include/ingot_grouped.h"

ingot_format ingot_grouped_format(ingot_grouped grouped) {
  if (grouped.bits == 4) return grouped.minimum ? INGOT_I4M : INGOT_I4;
  return grouped.minimum ? INGOT_I8M : INGOT_I8;
}

static size_t header_bytes(ingot_grouped grouped) { return grouped.minimum ? 4 : 2; }

size_t ingot_grouped_bytes(ingot_grouped grouped) {
  return header_bytes(grouped) + (size_t)(grouped.group * grouped.bits / 8);
}

void ingot_split_grouped(
    ingot_grouped grouped, const void *source, int64_t groups, int8_t *q, uint16_t *scales, uint16_t *minimums) {
  const uint8_t *from = source;
  for (int64_t g = 0; g < groups; g++, q += grouped.group) {
    memcpy(scales + g, from, 2);
    if (grouped.minimum) memcpy(minimums + g, from + 2, 2);
    from += header_bytes(grouped);
    if (grouped.bits == 8) {
      memcpy(q, from, (size_t)grouped.group);
      from += grouped.group;
      continue;
    }
    for (int start = 0; start < grouped.group; start += 32, from += 16) {
      for (int i = 0; i < 16; i++) {
        q[start + i] = (int8_t)(from[i] & 15);
        q[start + 16 + i] = (int8_t)(from[i] >> 4);
      }
    }
  }
}

void ingot_join_grouped(
    ingot_grouped grouped, const int8_t *q, const uint16_t *scales, const uint16_t *minimums, int64_t groups,
    void *target) {
  uint8_t *to = target;
  for (int64_t g = 0; g < groups; g++, q += grouped.group) {
    memcpy(to, scales + g, 2);
    if (grouped.minimum) memcpy(to + 2, minimums + g, 2);
    to += header_bytes(grouped);
    if (grouped.bits == 8) {
      memcpy(to, q, (size_t)grouped.group);
      to += grouped.group;
      continue;
    }
    for (int start = 0; start < grouped.group; start += 32, to += 16)
      for (int i = 0; i < 16; i++) to[i] = (uint8_t)((q[start + i] & 15) | (q[start + 16 + i] & 15) << 4);
  }
}

void ingot_dequantize_grouped(ingot_grouped grouped, const void *source, int64_t groups, float *target) {
  const char *from = source;
  int offset = grouped.bits == 4 && !grouped.minimum ? 8 : 0;
  for (int64_t g = 0; g < groups; g++, from += ingot_grouped_bytes(grouped), target += grouped.group) {
    int8_t q[128];
    uint16_t halves[2] = {0, 0};
    float scale_and_minimum[2];
    ingot_split_grouped(grouped, from, 1, q, &halves[0], &halves[1]);
    ingot_f16_to_f32(halves, scale_and_minimum, 2);
    for (int i = 0; i < grouped.group; i++) {
      float value = scale_and_minimum[0] * (float)(q[i] - offset);
      target[i] = grouped.minimum ? value + scale_and_minimum[1] : value;
    }
  }
}
