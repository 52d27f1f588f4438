/// Gathers rows of an embedding table into float.
#include <string.h>

#include "include/ingot_convert.h"
#include "include/ingot_matmul.h"
#include "include/ingot_ops.h"
#include "parallel.h"

typedef struct embedding_job {
  ingot_table kind;
  ingot_block block;
  const char *table;
  int64_t row_bytes, width;
  const int64_t *ids;
  float *y;
  int64_t y_stride;
} embedding_job;

static void embedding_row(void *argument, int64_t i, int thread) {
  (void)thread;
  const embedding_job *job = argument;
  if (job->kind == INGOT_TABLE_TILES) {
    const ingot_weight *tiles = (const void *)job->table;
    size_t tile_bytes = ingot_tile_bytes(tiles->format, tiles->k, tiles->group);
    const char *tile = (const char *)tiles->data + (size_t)(job->ids[i] / INGOT_TILE) * tile_bytes;
    ingot_unpack_row(
        tiles->format, tiles->k, tiles->group, tile, (int)(job->ids[i] % INGOT_TILE), job->y + i * job->y_stride);
    return;
  }
  const void *row = job->table + job->ids[i] * job->row_bytes;
  float *y = job->y + i * job->y_stride;
  size_t n = (size_t)job->width;
  switch (job->kind) {
  case INGOT_TABLE_F32: memcpy(y, row, n * sizeof *y); break;
  case INGOT_TABLE_F16: ingot_f16_to_f32(row, y, n); break;
  case INGOT_TABLE_BF16: ingot_bf16_to_f32(row, y, n); break;
  case INGOT_TABLE_TILES: break;
  case INGOT_TABLE_BLOCKS: ingot_dequantize(job->block, row, y, n / ingot_block_weights(job->block)); break;
  }
}

void ingot_embedding(
    const ingot_context *context, ingot_table kind, int block, const void *table, int64_t row_bytes, int64_t width,
    const int64_t *ids, int64_t count, float *y, int64_t y_stride) {
  embedding_job job = {kind, (ingot_block)block, table, row_bytes, width, ids, y, y_stride};
  ingot_parallel(context, embedding_row, &job, count, count * width);
}
