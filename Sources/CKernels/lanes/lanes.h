/// The vectorised inner loops, written once in 16-lane vectors and compiled for each instruction set.
///
/// The bodies in this folder are plain vector code without intrinsics: every operation is an IEEE operation
/// per lane in an order the source fixes, so the instruction sets agree bit for bit. The `.c` files beside
/// this header compile them with different target attributes and export one table each.
#ifndef INGOT_LANES_H
#define INGOT_LANES_H

#include "../include/ingot_attention.h"
#include "../include/ingot_ops.h"

enum {
  /// Query rows of one attention item: a multiple of the six rows of the register block.
  ATTENTION_ROWS = 48,
  /// Pages whose online softmax is one unit of work; spans are merged in the order of positions.
  ATTENTION_SPAN = 8,
  /// Extents of the output tile and of the inner dimension that one gemm job packs at a time.
  GEMM_M = 240, GEMM_N = 512, GEMM_K = 256,
};

/// Query rows [row, row + rows) of one sequence and KV head. A row is token-major: token row / group,
/// query head row % group of the KV head's group.
typedef struct attention_item {
  int64_t sequence, kv_head, row, rows;
} attention_item;

/// Running softmax of up to ATTENTION_ROWS rows: maximum, sum and unnormalised output of each.
/// A row that has seen nothing has maximum -∞.
typedef struct attention_state {
  float *maximum, *sum;   ///< [ATTENTION_ROWS]
  float *output;          ///< [ATTENTION_ROWS][head_dim rounded up to 16]
} attention_state;

/// Scratch of one thread.
typedef struct attention_scratch {
  attention_state span, total;
  float *queries;      ///< packed by register block: [head_dim rounded up to 16][rows of the block]
  float *scores;       ///< [ATTENTION_ROWS][INGOT_PAGE], later probabilities
  float *scale;        ///< [ATTENTION_ROWS] exp(old maximum - new maximum)
  float *keys;         ///< one page of keys, widened
  float *values;       ///< one page of values, widened, in panels [16 dims][INGOT_PAGE][16]
  float *scales;       ///< one page's scales of i8, times 2^-24
  int32_t *low, *high;    ///< [ATTENTION_ROWS] first and last position that a row sees
  int32_t *first, *end;   ///< [ATTENTION_ROWS] tokens of the page at hand that a row sees
} attention_scratch;

/// Outputs [row, row + rows) × [column, column + columns) of one product of the batch.
typedef struct gemm_tile {
  int64_t batch, row, rows, column, columns;
} gemm_tile;

/// A page's memory: bytes of an element, elements of a row, groups of i8 with one scale, and the offsets in bytes of
/// one KV head's values, scales and end from its keys.
typedef struct kv_layout {
  int64_t size, width, groups, values, scales, bytes;
} kv_layout;

static inline kv_layout kv_layout_of(ingot_kv type, int64_t head_dim) {
  int64_t rounded = (head_dim + 15) / 16 * 16, groups = (head_dim + INGOT_KV_GROUP - 1) / INGOT_KV_GROUP;
  kv_layout l = {4, head_dim, 0, 0, 0, 0};
  if (type == INGOT_KV_F16) l.size = 2;
  if (type == INGOT_KV_I8) l = (kv_layout){1, rounded, groups, 0, 0, 0};
  l.values = INGOT_PAGE * l.width * l.size;
  l.scales = 2 * l.values;
  l.bytes = l.scales + 2 * l.groups * INGOT_PAGE * (int64_t)sizeof(uint16_t);
  return l;
}

typedef struct ingot_lanes {
  void (*rms_norm)(const ingot_norm_arguments *arguments, int64_t row, int64_t end);
  void (*layer_norm)(const ingot_norm_arguments *arguments, int64_t row, int64_t end);
  void (*unary)(ingot_unary op, const float *x, float *y, int64_t count);
  /// Strides 0 and 1 are fast, others are gathered; y is dense.
  void (*binary)(
      ingot_binary op, const float *a, int64_t a_stride, const float *b, int64_t b_stride, float *y, int64_t count);
  void (*gated)(ingot_unary activation, const float *gate, const float *up, float *y, int64_t count);
  void (*softmax)(const float *x, float *y, int64_t width);
  /// Reduces `count` neighbours to one.
  float (*reduce_row)(ingot_reduction op, const float *x, int64_t count);
  /// Reduces columns [column, end) of x [axis, inner] over `axis`.
  void (*reduce_columns)(
      ingot_reduction op, const float *x, int64_t axis, int64_t inner, int64_t column, int64_t end, float *y);
  void (*rope)(const ingot_rope_arguments *arguments, int64_t token, int64_t end);
  void (*cache_write)(const ingot_cache_arguments *arguments, int64_t token, int64_t end);
  void (*widen_f16)(const uint16_t *x, float *y, int64_t count);
  /// One tile of outputs over all of k, at most GEMM_M × GEMM_N; `scratch`: GEMM_K * (GEMM_M + GEMM_N) floats.
  void (*gemm_tile)(const ingot_gemm_arguments *arguments, const gemm_tile *tile, float *scratch);
  /// Softmax state of the item over the pages of one span, from nothing.
  void (*attention_span)(
      const ingot_attention_arguments *arguments, const attention_item *item, int64_t span,
      const attention_scratch *scratch, const attention_state *state);
  /// Adds the state of the next span to that of the spans before.
  void (*attention_merge)(int64_t head_dim, int64_t rows, const attention_state *next, const attention_state *total);
  /// Packs the item's queries and notes what they see; before its first span.
  void (*attention_pack)(
      const ingot_attention_arguments *arguments, const attention_item *item, const attention_scratch *scratch);
  /// Writes output / sum to y.
  void (*attention_finish)(
      const ingot_attention_arguments *arguments, const attention_item *item, const attention_state *total);
} ingot_lanes;

extern const ingot_lanes ingot_lanes_portable;
#if defined(__x86_64__)
extern const ingot_lanes ingot_lanes_avx2, ingot_lanes_avx512;
#elif defined(__aarch64__)
extern const ingot_lanes ingot_lanes_neon;
#endif

/// Sets without lanes of their own, or of another architecture, take what they include.
static inline const ingot_lanes *ingot_lanes_of(ingot_isa isa) {
#if defined(__x86_64__)
  if (isa == INGOT_ISA_AVX512_VNNI) return &ingot_lanes_avx512;
  if (isa == INGOT_ISA_AVX_VNNI || isa == INGOT_ISA_AVX2) return &ingot_lanes_avx2;
#elif defined(__aarch64__)
  if (isa == INGOT_ISA_NEON || isa == INGOT_ISA_I8MM) return &ingot_lanes_neon;
#else
  (void)isa;
#endif
  return &ingot_lanes_portable;
}

#endif
