/// Weights of one row as groups: integers of 4 or 8 bits that share an f16 scale and, if asymmetric, an f16 minimum.
///
/// What checkpoints quantised elsewhere and our own quantiser have in common, row by row as a file would hold it. A
/// group is its scale, its minimum if there is one, and its integers; 4-bit integers lie as in GGUF's Q4_0, so that
/// with groups of 32 these are Q4_0, Q4_1 and Q8_0 byte for byte. `ingot_pack_integer_tile` takes what
/// `ingot_split_grouped` gives.
#ifndef INGOT_GROUPED_H
#define INGOT_GROUPED_H

#include "ingot_matmul.h"
#include "ingot_quantize.h"

typedef struct ingot_grouped {
  int32_t bits;     ///< 4 or 8
  int32_t group;    ///< weights that share a scale: 32, 64 or 128
  int32_t minimum;  ///< whether w = d q + m; otherwise w = d (q - 8) with 4 bits, w = d q with 8
} ingot_grouped;

/// The format of tiles that holds the same integers.
ingot_format ingot_grouped_format(ingot_grouped grouped);
/// Bytes of one group.
size_t ingot_grouped_bytes(ingot_grouped grouped);

/// Groups to integers (0...15, or signed bytes), scales and minimums (NULL where there are none), and back.
void ingot_split_grouped(
    ingot_grouped grouped, const void *source, int64_t groups, int8_t *q, uint16_t *scales, uint16_t *minimums);
void ingot_join_grouped(
    ingot_grouped grouped, const int8_t *q, const uint16_t *scales, const uint16_t *minimums, int64_t groups,
    void *target);
/// Groups to floats, with the arithmetic of `ingot_unpack_row`.
void ingot_dequantize_grouped(ingot_grouped grouped, const void *source, int64_t groups, float *target);

/// Rounds floats to groups. Of several ranges for the integers, wider and narrower than the weights' own, each with
/// the scale and minimum that fit best in the least-squares sense, the one with the smallest squared error is kept.
/// The result does not depend on the instruction set.
ingot_quantized ingot_quantize_grouped(
    ingot_isa isa, ingot_grouped grouped, const float *x, int64_t groups, void *target);
/// The same for groups that share one scale, without a minimum: the inputs of an output channel.
ingot_quantized ingot_quantize_channel(
    ingot_isa isa, ingot_grouped grouped, const float *x, int64_t groups, void *target);

/// The integers, scales and minimums (NULL where there are none) of a tile's lane: the inverse of
/// `ingot_pack_integer_tile` for `k`, a multiple of the group.
void ingot_unpack_integers(
    ingot_format format, int64_t k, int32_t group, const void *tile, int lane, int8_t *q, uint16_t *scales,
    uint16_t *minimums);

#endif
