/// The operations of a decoder other than matrix products. Activations are f32, rows `stride` elements apart.
///
/// Every function computes each output row by itself in a fixed order, so results do not depend on threads,
/// on the number of rows, or on the instruction set.
#ifndef INGOT_OPS_H
#define INGOT_OPS_H

#include "ingot_context.h"

/// y = x / sqrt(mean(x²) + epsilon) · weight over the last axis. With `added` not NULL, first
/// added[i] = x[i] + addend[i] (the residual stream, stored), which is what is normalised.
/// weight_offset is added to every weight (1 for Gemma's convention). `weight` NULL: all ones.
typedef struct ingot_norm_arguments {
  int64_t rows, width;
  const float *x; int64_t x_stride;
  const float *addend; int64_t addend_stride;   ///< NULL: none
  float *added; int64_t added_stride;           ///< NULL when addend is NULL
  const float *weight, *bias;                   ///< bias: layer norm only; NULL: none
  float epsilon, weight_offset;
  float *y; int64_t y_stride;
  int64_t heads;   ///< rows that lie `width` apart within each stride; 0: one
} ingot_norm_arguments;
void ingot_rms_norm(const ingot_context *context, const ingot_norm_arguments *arguments);
/// y = (x - mean) / sqrt(variance + epsilon) · weight + bias.
void ingot_layer_norm(const ingot_context *context, const ingot_norm_arguments *arguments);

/// Gathers rows of a table into f32. `kind` is one of ingot_table.
typedef enum ingot_table {
  INGOT_TABLE_F32 = 0, INGOT_TABLE_F16 = 1, INGOT_TABLE_BF16 = 30, INGOT_TABLE_BLOCKS = 100, INGOT_TABLE_TILES = 101,
} ingot_table;
/// `block`: the GGUF block type for INGOT_TABLE_BLOCKS. For INGOT_TABLE_TILES, `table` is an `ingot_weight` whose outputs
/// are the rows: a head that is the embedding too. Ids are checked by the caller.
void ingot_embedding(
    const ingot_context *context, ingot_table kind, int block, const void *table, int64_t row_bytes, int64_t width,
    const int64_t *ids, int64_t count, float *y, int64_t y_stride);

/// Elementwise functions; x and y may be the same.
typedef enum ingot_unary {
  INGOT_NEG, INGOT_ABS, INGOT_EXP, INGOT_LOG, INGOT_SQRT, INGOT_RSQRT, INGOT_COS, INGOT_SIN, INGOT_TANH,
  INGOT_SIGMOID, INGOT_SILU, INGOT_RELU, INGOT_GELU /* erf */, INGOT_GELU_TANH, INGOT_QUICK_GELU, INGOT_RECIPROCAL,
} ingot_unary;
void ingot_unary_op(const ingot_context *context, ingot_unary op, const float *x, float *y, int64_t count);

typedef enum ingot_binary {
  INGOT_ADD, INGOT_SUB, INGOT_MUL, INGOT_DIV, INGOT_MAX, INGOT_MIN, INGOT_POW,
  INGOT_EQ, INGOT_NE, INGOT_LT, INGOT_LE, INGOT_GT, INGOT_GE, INGOT_AND, INGOT_OR,   ///< 1 or 0
} ingot_binary;
/// Broadcasting over up to 6 dims: strides in elements, 0 for a broadcast axis; y is dense over `dims`.
void ingot_binary_op(
    const ingot_context *context, ingot_binary op, int rank, const int64_t *dims, const float *a,
    const int64_t *a_strides, const float *b, const int64_t *b_strides, float *y);

/// y[r, i] = act(gate[r, i]) · up[r, i], act SiLU (INGOT_SILU), GELU or GELU-tanh.
void ingot_gated(
    const ingot_context *context, ingot_unary activation, int64_t rows, int64_t width, const float *gate,
    int64_t gate_stride, const float *up, int64_t up_stride, float *y, int64_t y_stride);

/// Softmax over the last axis (max subtracted).
void ingot_softmax(const ingot_context *context, int64_t rows, int64_t width, const float *x, float *y);

typedef enum ingot_reduction { INGOT_SUM, INGOT_MEAN, INGOT_AMAX, INGOT_AMIN, INGOT_NORM /* L2 */, INGOT_STD /* n - 1 */ } ingot_reduction;
/// Reduces the middle axis of [outer, axis, inner].
void ingot_reduce(
    const ingot_context *context, ingot_reduction op, int64_t outer, int64_t axis, int64_t inner, const float *x, float *y);

/// Copies a strided view of elements of 1, 2, 4 or 8 bytes (permute, slice, repeat: strides may be 0 or negative,
/// in elements) to a strided target; rank ≤ 8.
void ingot_copy_strided(
    const ingot_context *context, int element_bytes, int rank, const int64_t *dims, const void *x,
    const int64_t *x_strides, void *y, const int64_t *y_strides);

/// y[m, n] = op(a)[m, k] · op(b)[k, n] in f32 for operands that are both activations; batched.
/// Strides in elements: rows and columns of each operand as seen after transposition.
typedef struct ingot_gemm_arguments {
  int64_t batch, m, n, k;
  const float *a; int64_t a_batch, a_row, a_column;
  const float *b; int64_t b_batch, b_row, b_column;
  float *y; int64_t y_batch, y_row;
} ingot_gemm_arguments;
size_t ingot_gemm_scratch_bytes(int64_t m, int64_t n, int64_t k, int threads);
void ingot_gemm(const ingot_context *context, const ingot_gemm_arguments *arguments);

#endif
