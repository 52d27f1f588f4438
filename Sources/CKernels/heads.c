/// From a product's heads to the cache: norm, rotation and write under one fork-join.
#include "lanes/lanes.h"
#include "parallel.h"

/// Tokens per chunk: the 16 of a tile of keys, as neighbours share its cache lines.
enum { TOKENS_PER_CHUNK = 16 };

typedef struct heads_job {
  const ingot_lanes *lanes;
  const ingot_head_steps *queries, *keys;
  const ingot_cache_arguments *cache;
} heads_job;

static void apply(const ingot_lanes *lanes, const ingot_head_steps *steps, int64_t token, int64_t end) {
  if (steps->norm.width != 0) {
    int64_t heads = steps->norm.heads > 0 ? steps->norm.heads : 1;
    (steps->norm_is_layer ? lanes->layer_norm : lanes->rms_norm)(&steps->norm, token * heads, end * heads);
  }
  if (steps->rope.heads != 0) lanes->rope(&steps->rope, token, end);
}

static void heads_chunk(void *argument, int64_t chunk, int thread) {
  (void)thread;
  const heads_job *job = argument;
  int64_t token = chunk * TOKENS_PER_CHUNK, end = min_of(token + TOKENS_PER_CHUNK, job->cache->tokens);
  apply(job->lanes, job->queries, token, end);
  apply(job->lanes, job->keys, token, end);
  job->lanes->cache_write(job->cache, token, end);
}

void ingot_write_heads(
    const ingot_context *context, const ingot_head_steps *queries, const ingot_head_steps *keys,
    const ingot_cache_arguments *cache) {
  heads_job job = {ingot_lanes_of(context->isa), queries, keys, cache};
  int64_t width = queries->rope.heads * queries->rope.head_dim + 2 * cache->kv_heads * cache->head_dim;
  ingot_parallel(context, heads_chunk, &job, ceil_div(cache->tokens, TOKENS_PER_CHUNK), cache->tokens * width);
}
