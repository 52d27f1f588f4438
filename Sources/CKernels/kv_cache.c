/// The paged key/value cache: sizes, writes and reads of single rows.
#include <string.h>

#include "lanes/lanes.h"

size_t ingot_page_bytes(ingot_kv type, int64_t kv_heads, int64_t head_dim) {
  return (size_t)(kv_heads * kv_layout_of(type, head_dim).bytes);
}

void ingot_cache_write(const ingot_context *context, const ingot_cache_arguments *arguments) {
  static const ingot_head_steps nothing = {0};
  ingot_write_heads(context, &nothing, &nothing, arguments);
}

static float half_at(const char *p) {
  uint16_t half;
  float value;
  memcpy(&half, p, sizeof half);
  ingot_lanes_portable.widen_f16(&half, &value, 1);
  return value;
}

void ingot_cache_read(
    ingot_kv type, const void *pages, int64_t kv_heads, int64_t head_dim, int64_t slot, int64_t kv_head, int values,
    float *target) {
  kv_layout l = kv_layout_of(type, head_dim);
  const char *page = (const char *)pages + (slot / INGOT_PAGE * kv_heads + kv_head) * l.bytes;
  const char *rows = page + (values ? l.values : 0);
  int64_t t = slot % INGOT_PAGE;
  for (int64_t i = 0; i < head_dim; i++) {
    int64_t at = values ? t * l.width + i : (t / 16 * l.width + i) * 16 + t % 16;
    switch (type) {
      case INGOT_KV_F32: memcpy(&target[i], rows + at * 4, sizeof *target); break;
      case INGOT_KV_F16: target[i] = half_at(rows + at * 2); break;
      case INGOT_KV_I8: {
        int64_t group = (values ? l.groups : 0) + i / INGOT_KV_GROUP;
        at = values ? (t / 4 * l.width + i) * 4 + t % 4 : ((t / 16 * l.width + i / 4 * 4) * 4 + t % 16) * 4 + i % 4;
        target[i] = ((const signed char *)rows)[at] * half_at(page + l.scales + (group * INGOT_PAGE + t) * 2);
        break;
      }
    }
  }
}
