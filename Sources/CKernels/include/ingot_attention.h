/// Rotary embedding, the paged key/value cache and attention over it.
///
/// The cache of one layer is an array of pages of INGOT_PAGE tokens. A page holds, for each KV head in turn,
/// its keys and then its values, in f32 or f16:
///
///   keys    [INGOT_PAGE / 16][head_dim][16]   16 tokens are the lanes of a vector
///   values  [INGOT_PAGE][head_dim]
///
/// or, with `width` = head_dim rounded up to 16, as signed bytes of which four are split from each lane of a vector,
/// and f16 scales, one for INGOT_KV_GROUP dims of a token:
///
///   keys    [INGOT_PAGE / 16][width / 4][16][4 dims]
///   values  [INGOT_PAGE / 4][width][4 tokens]
///   scales  [keys, values][head_dim / INGOT_KV_GROUP, rounded up][INGOT_PAGE]
///
/// Slot s of the cache is token s % INGOT_PAGE of page s / INGOT_PAGE.
#ifndef INGOT_ATTENTION_H
#define INGOT_ATTENTION_H

#include "ingot_context.h"
#include "ingot_ops.h"

enum { INGOT_PAGE = 64, INGOT_KV_GROUP = 32 };

typedef enum ingot_kv { INGOT_KV_F32 = 0, INGOT_KV_F16 = 1, INGOT_KV_I8 = 2 } ingot_kv;

/// Bytes of one page of one layer.
size_t ingot_page_bytes(ingot_kv type, int64_t kv_heads, int64_t head_dim);

/// The ragged batch of one forward: the new tokens of all sequences, end to end.
typedef struct ingot_batch {
  int64_t tokens, sequences, max_blocks;
  const int64_t *positions;      ///< [tokens] position of each token in its sequence, from 0
  const int32_t *slots;          ///< [tokens] where its key and value are stored
  const int32_t *sequence_of;    ///< [tokens] index of its sequence
  const int32_t *q_start;        ///< [sequences + 1] first token of each sequence
  const int32_t *seq_len;        ///< [sequences] tokens in the cache after this forward
  const int32_t *block_tables;   ///< [sequences, max_blocks] page of each block of a sequence
} ingot_batch;

/// Rotates pairs of the first `rotary_dim` dims of every head; copies the rest.
/// Half-split pairs (i, i + rotary_dim/2), or neighbours (2i, 2i + 1) when `interleaved`.
/// x and y [tokens, heads, head_dim] may be the same.
typedef struct ingot_rope_arguments {
  int64_t tokens, heads, head_dim, rotary_dim;
  int interleaved;
  const int64_t *positions;            ///< [tokens]
  const int32_t *table_of;             ///< [tokens] index into `tables`; NULL: all 0
  const float *const *tables;          ///< each [positions][rotary_dim]: cos of the pairs, then sin of the pairs
  const float *x; int64_t x_stride;    ///< elements from token to token; heads are head_dim apart
  float *y; int64_t y_stride;
} ingot_rope_arguments;
void ingot_rope(const ingot_context *context, const ingot_rope_arguments *arguments);

/// Stores keys and values [tokens, kv_heads, head_dim] at their slots. As bytes: a group's scale is its largest
/// magnitude / 127 in f16, a byte the nearest multiple of it (ties to even); a group with NaN or infinity becomes NaN.
typedef struct ingot_cache_arguments {
  int64_t tokens, kv_heads, head_dim;
  ingot_kv type;
  const int32_t *slots;
  const float *k; int64_t k_stride;
  const float *v; int64_t v_stride;
  void *pages;
} ingot_cache_arguments;
void ingot_cache_write(const ingot_context *context, const ingot_cache_arguments *arguments);
/// What turns a product's heads into queries or keys: a norm of each head, where `norm.width` is not 0, then a rotation,
/// where `rope.heads` is not 0. Numbers of rows and tokens in them are not read.
typedef struct ingot_head_steps {
  ingot_norm_arguments norm;
  int norm_is_layer;
  ingot_rope_arguments rope;
} ingot_head_steps;
/// Norms and rotations of queries and keys and the write of keys and values into the cache, a few tokens after another,
/// so that a head goes through all of it while it lies in a near cache, under one fork-join.
void ingot_write_heads(
    const ingot_context *context, const ingot_head_steps *queries, const ingot_head_steps *keys,
    const ingot_cache_arguments *cache);
/// Reads one cached row back to float, for dumps and tests: key or value of a KV head at a slot.
void ingot_cache_read(
    ingot_kv type, const void *pages, int64_t kv_heads, int64_t head_dim, int64_t slot, int64_t kv_head, int values,
    float *target);

/// Causal attention of every new token over its sequence's cache (itself included, already written).
/// Query head h reads KV head h / (heads / kv_heads). A token at position p sees positions
/// max(0, p - window + 1)...p; window 0: all.
typedef struct ingot_attention_arguments {
  const ingot_batch *batch;
  int64_t heads, kv_heads, head_dim, window;
  float scale, softcap;                ///< softcap 0: none; else scores = softcap · tanh(scores / softcap)
  ingot_kv type;
  const void *pages;
  const float *q; int64_t q_stride;    ///< [tokens, heads, head_dim]
  float *y; int64_t y_stride;          ///< [tokens, heads, head_dim]
} ingot_attention_arguments;
size_t ingot_attention_scratch_bytes(int64_t heads, int64_t kv_heads, int64_t head_dim, int threads);
/// Block-wise softmax over pages in the order of positions: a row's result depends on its query and its
/// cache alone, bit for bit.
void ingot_attention(const ingot_context *context, const ingot_attention_arguments *arguments);

#endif
