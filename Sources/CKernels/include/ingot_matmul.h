/// Packed weights and the matrix products that read them.
///
/// A weight matrix W[n, k] (n outputs, k inputs) is stored in tiles of 16 outputs, so that the 16 lanes of
/// a vector are 16 outputs and every output sums over k in one fixed order, whatever the instruction set,
/// the number of rows or of threads. Results are therefore bit-identical between all of these.
///
///   float formats   tile = [k][16] elements
///   int8            tile = scales, padded to 64 bytes, then [k/4][16][4] signed bytes
///   int4            tile = scales, padded to 64 bytes, then per 32 k 256 bytes: byte [i][lane][j] (i, j in 0..<4)
///                   holds k = 4i + j in its low nibble and k = 16 + 4i + j in its high nibble
///   scales          per group of k: 16 × f16 scale; asymmetric formats: then 16 × f16 minimum
///
/// n is padded to a multiple of 16 and k to a multiple of the group with weights that are zero.
#ifndef INGOT_MATMUL_H
#define INGOT_MATMUL_H

#include "ingot_context.h"
#include "ingot_ops.h"

enum { INGOT_TILE = 16 };

/// How weights are stored. With q the stored integer, d a group's scale and m its minimum:
typedef enum ingot_format {
  INGOT_F32 = 0,
  INGOT_F16 = 1,
  INGOT_BF16 = 2,
  INGOT_I8 = 3,   ///< w = d q,       q in -128...127
  INGOT_I8M = 4,  ///< w = d q + m,   q in -128...127
  INGOT_I4 = 5,   ///< w = d (q - 8), q in 0...15
  INGOT_I4M = 6,  ///< w = d q + m,   q in 0...15
} ingot_format;

/// A packed weight matrix; `data` is 64-byte aligned and not owned.
typedef struct ingot_weight {
  ingot_format format;
  int32_t group;     ///< inputs per scale: 32, 64 or 128; 0 for the float formats
  int64_t n, k;      ///< logical extents
  const void *data;
} ingot_weight;

/// Bytes of one tile and of the whole matrix; tiles start at multiples of 64 bytes.
size_t ingot_tile_bytes(ingot_format format, int64_t k, int32_t group);
size_t ingot_weight_bytes(ingot_format format, int64_t n, int64_t k, int32_t group);

/// Packs rows [row, row + rows) of W, 0 < rows ≤ 16, into one tile (the one at row / 16).
/// Float formats: `source` is [rows][k] of the format's own element type, row stride `stride` elements.
void ingot_pack_float_tile(ingot_format format, int64_t k, const void *source, int64_t stride, int rows, void *tile);
/// Integer formats: `q` [rows][k] as stored integers (0...15 for int4), `scales` and `minimums` (NULL for the
/// symmetric formats) [rows][groups] in f16.
void ingot_pack_integer_tile(
    ingot_format format, int64_t k, int32_t group, const int8_t *q, const uint16_t *scales,
    const uint16_t *minimums, int rows, void *tile);
/// The inverse of both, to float: row `lane` of a tile, k values. For tests, dumps and gathers.
void ingot_unpack_row(ingot_format format, int64_t k, int32_t group, const void *tile, int lane, float *target);

/// y[m, n] = (x[m, k] Wᵀ + bias[n]) + residual[m, n]; everything but W in f32.
///
/// Two neighbours of a product in every decoder can be part of it, so that what lies between them stays in the
/// cache and no thread waits for another: the norm before it, and the gate after it. The results are, bit for bit,
/// those of `ingot_rms_norm` (`ingot_layer_norm`), `ingot_matmul` and `ingot_gated` one after the other.
typedef struct ingot_matmul_arguments {
  const ingot_weight *weight;
  int64_t m;
  const float *x;
  int64_t x_stride;         ///< elements from row to row
  const float *bias;        ///< NULL: none
  const float *residual;    ///< NULL: none; may equal y
  int64_t residual_stride;
  float *y;
  int64_t y_stride;
  /// NULL, or what is done to the rows of x first; its width is k. Only weight, bias, epsilon and weight_offset are
  /// read, and only integer formats can have it.
  const ingot_norm_arguments *norm;
  int norm_is_layer;        ///< layer norm, else RMS norm
  /// NULL, or for each of the k inputs of the weight which element of a row of x it multiplies, applied after the norm:
  /// weights whose groups were made of inputs in another order. Only integer formats can have it.
  const int32_t *x_order;
  /// Whether the n outputs are two halves of which y[m, n/2] = activation(gate) · up. n is then a multiple of 32,
  /// and there is no residual.
  int gated;
  int gate_is_second;       ///< the outputs of the gate are the second half, else the first
  ingot_unary activation;
  /// NULL, or weights that will be read next: threads that have nothing left to do fetch some of them.
  const void *next;
  size_t next_bytes;
} ingot_matmul_arguments;

/// Scratch the product needs in `ingot_context`: the quantised activations of the integer formats, and what norm
/// and gate keep between rows.
size_t ingot_matmul_scratch_bytes(ingot_format format, int64_t m, int64_t k, int32_t group, int threads);

/// Computes the product on the context's pool: one fork-join. Integer formats quantise the rows of x to int8
/// per group (ties to even, scale = amax / 127 kept to 11 bits); their dots are exact, and each group's contribution
/// is added in f32 in the order of k. Float formats accumulate in f32 by fused multiply-add in the order of k.
///
/// With d_x the scale of a row's group, i the exact dot of its integers with the weights' (8 subtracted in symmetric
/// int4) and Σq the sum of its integers, a group adds  sum = fma(i, d_x · d, sum)  and then, where there are
/// minimums,  sum = fma(Σq · d_x kept to 11 bits, m, sum).  A group with a NaN or an infinity makes its row NaN; one
/// whose largest magnitude is below 2^-100 counts as zeros.
void ingot_matmul(const ingot_context *context, const ingot_matmul_arguments *arguments);

#endif
