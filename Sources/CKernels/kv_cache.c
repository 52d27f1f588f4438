/// The paged key/value cache: sizes, writes and reads of single rows.
#include "lanes/lanes.h"
#include "parallel.h"

/// Tokens per chunk: the 16 of a tile of keys, as neighbours share its cache lines.
enum { TOKENS_PER_CHUNK = 16 };

size_t ingot_page_bytes(ingot_kv type, int64_t kv_heads, int64_t head_dim) {
  return (size_t)(2 * INGOT_PAGE * kv_heads * head_dim) * (type == INGOT_KV_F16 ? 2 : 4);
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

void ingot_cache_read(
    ingot_kv type, const void *pages, int64_t kv_heads, int64_t head_dim, int64_t slot, int64_t kv_head, int values,
    float *target) {
  int64_t t = slot % INGOT_PAGE, at = (slot / INGOT_PAGE * kv_heads + kv_head) * 2 * INGOT_PAGE * head_dim;
  int64_t first = at + (values ? (INGOT_PAGE + t) * head_dim : t / 16 * 16 * head_dim + t % 16);
  int64_t stride = values ? 1 : 16;
  for (int64_t i = 0; i < head_dim; i++) {
    if (type == INGOT_KV_F32) target[i] = ((const float *)pages)[first + i * stride];
    else ingot_lanes_portable.widen_f16((const uint16_t *)pages + first + i * stride, target + i, 1);
  }
}
