/// Weights to integers with one scale per group: w ≈ (code - zero) · scale, codes 0...15 or 0...255.
#ifndef INGOT_QUANTIZE_H
#define INGOT_QUANTIZE_H

#include "ingot_context.h"

/// How scales are stored. Codes are made with the scale as stored, so that rounding it adds no error.
typedef enum ingot_scale { INGOT_SCALE_F32 = 0, INGOT_SCALE_F16 = 1, INGOT_SCALE_BF16 = 2 } ingot_scale;

typedef struct ingot_quantizer {
  int bits;            ///< 4 or 8
  int symmetric;       ///< zero is 8 or 128; else it is chosen per group
  ingot_scale scale;
} ingot_quantizer;

typedef enum ingot_quantized {
  INGOT_QUANTIZED = 0,
  INGOT_NOT_FINITE = 1,       ///< the group holds a NaN or an infinity
  INGOT_SCALE_TOO_LARGE = 2,  ///< its scale is infinite as stored
} ingot_quantized;

/// The scale and zero of a group.
///
/// Symmetric, 4 bits: the weight farthest from zero becomes code 0, so the scale has the sign opposite to it (ggml's
/// Q4_0). Symmetric, 8 bits: the largest magnitude / 127, codes 1...255 (ggml's Q8_0). Both find the integers and scales
/// of such blocks again. Else the range of the weights with zero in it, over 15 or 255.
/// A scale that would be stored as zero is 1: every code is then the zero.
ingot_quantized ingot_group_scale(
    ingot_isa isa, const ingot_quantizer *quantizer, const float *x, int64_t count, float *scale, uint8_t *zero);
/// The codes of weights, to nearest, ties to even.
void ingot_group_codes(
    ingot_isa isa, const ingot_quantizer *quantizer, const float *x, int64_t count, float scale, uint8_t zero,
    uint8_t *codes);
/// Both for groups of `group` weights one after another; the last may be shorter.
ingot_quantized ingot_quantize_groups(
    ingot_isa isa, const ingot_quantizer *quantizer, const float *x, int64_t count, int64_t group, uint8_t *codes,
    float *scales, uint8_t *zeros);

/// Adds the squares of x - (code - zero) · scale to `error` and those of x to `energy`.
void ingot_quantization_error(
    const float *x, int64_t count, int64_t group, const uint8_t *codes, const float *scales, const uint8_t *zeros,
    double *error, double *energy);

/// Two codes of 4 bits to a byte, the first in the low nibble; after an odd last one comes a zero.
/// `codes` and `target` may be the same.
void ingot_pack_nibbles(const uint8_t *codes, uint8_t *target, int64_t count);
/// Codes from where zero is the middle to two's complement and back: bytes ^= mask.
void ingot_flip(uint8_t *bytes, uint8_t mask, int64_t count);

#endif
