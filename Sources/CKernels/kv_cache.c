/// The paged key/value cache: sizes, writes and reads of single rows.
#include <string.h>

#include "lanes/lanes.h"
#include "parallel.h"

/// Tokens per chunk: the 16 of a tile of keys, as neighbours share its cache lines.
enum { TOKENS_PER_CHUNK = 16 };

size_t ingot_page_bytes(ingot_kv type, int64_t kv_heads, int64_t head_dim) {
  return (size_t)(kv_heads * kv_layout_of(type, head_dim).bytes);
}

typedef struct cache_job {
  const ingot_lanes *lanes;
  const ingot_cache_arguments *arguments;
} cache_job;

static void cache_chunk(void *argument, int64_t chunk, int thread) {
  (void)thread;
  const cache_job *job = argument;
  int64_t token = chunk * TOKENS_PER_CHUNK;
  job->lanes->cache_write(job->arguments, token, min_of(token + TOKENS_PER_CHUNK, job->arguments->tokens));
}

void ingot_cache_write(const ingot_context *context, const ingot_cache_arguments *arguments) {
  cache_job job = {ingot_lanes_of(context->isa), arguments};
  ingot_parallel(
      context, cache_chunk, &job, ceil_div(arguments->tokens, TOKENS_PER_CHUNK),
      2 * arguments->tokens * arguments->kv_heads * arguments->head_dim);
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
