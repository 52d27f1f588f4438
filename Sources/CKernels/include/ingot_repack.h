/// From GGUF blocks to the integers and scales that `ingot_pack_integer_tile` takes.
#ifndef INGOT_REPACK_H
#define INGOT_REPACK_H

#include "ingot_convert.h"
#include "ingot_matmul.h"

/// The packed format a GGUF block type becomes, with groups of 32. Lossless for Q4_0, Q4_1, Q5_0, Q5_1 and Q8_0.
/// Q4_K and Q5_K keep their integers; the products of their two scales round to f16 (relative error ≤ 2⁻¹¹).
/// Q6_K's 6-bit values with a scale per 16 become 8-bit values with a scale per 32, which adds at most 1/254 of
/// the largest weight of the 32.
ingot_format ingot_repacked_format(ingot_block type);

/// Splits whole blocks into integers, scales (f16, one per 32 weights) and minimums (f16, likewise; untouched for
/// formats without). Returns 0, or -1 for an unknown type.
int ingot_split_blocks(
    ingot_block type, const void *source, size_t blocks, int8_t *q, uint16_t *scales, uint16_t *minimums);

#endif
