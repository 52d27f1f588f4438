/// Integers that other quantisers packed into words, and rows of groups made of them.
///
/// AWQ, GPTQ and compressed-tensors hold a matrix of codes 0...15 or 0...255 in 32-bit words, eight or four codes to a
/// word, one after another along the inputs or along the outputs. One description covers them, their zero points and
/// plain bytes. The loops are portable: a weight passes through them once.
#ifndef INGOT_PACKED_H
#define INGOT_PACKED_H

#include "ingot_grouped.h"

/// A matrix of codes [rows, columns]. The word of a code is word
///     row / rows_per_word · row_stride + column / columns_per_word · column_stride
/// and its place in it row % rows_per_word + column % columns_per_word; one of the two counts is 1.
typedef struct ingot_packed {
  const void *words;   ///< little-endian, of any alignment
  int64_t row_stride, column_stride;
  uint32_t add;        ///< what is added to a whole word first: undoes GPTQ's zero points that are one too small
  uint8_t word_bytes;  ///< 4, or 1 for bytes one by one
  uint8_t bits;        ///< of a code: 4 or 8
  uint8_t rows_per_word, columns_per_word;
  uint8_t is_awq;      ///< place p of a word is at the nibble 0, 4, 1, 5, 2, 6, 3, 7 [p], else at p
  uint8_t flip;        ///< what a code is xored with: 8 or 128 turns signed integers into codes around the middle
} ingot_packed;

/// Codes of a rectangle, `stride` bytes from row to row.
void ingot_unpack_codes(
    const ingot_packed *packed, int64_t row, int64_t rows, int64_t column, int64_t columns, uint8_t *target,
    int64_t stride);
/// Whether all words, of 4 bytes each, have one value.
int ingot_words_are(const void *words, int64_t count, uint32_t value);
/// Whether all bytes have one value.
int ingot_bytes_are(const void *bytes, int64_t count, uint8_t value);

/// y[i] = x[order[i]].
void ingot_order_bytes(const uint8_t *x, const int32_t *order, int64_t count, uint8_t *y);

/// A row of groups from codes: w = (code - zero) · scale. Group i has the scale and the zero of index
/// (first + i) / per_scale - first / per_scale.
///
/// Formats without minimum expect zeros of 8 or 128 and lose nothing but what rounding a scale to f16 does; with
/// minimum it is -zero times the rounded scale (8 bits: 128 - zero times it), rounded to f16.
/// Returns 0, or -1 when a scale or a minimum is not finite in f16.
int ingot_groups_of_codes(
    ingot_grouped grouped, const uint8_t *codes, const uint8_t *zeros, const float *scales, int64_t first,
    int64_t groups, int64_t per_scale, void *target);
/// The same weights as floats, with the arithmetic of `ingot_dequantize_grouped`; `scale_of` says for each code which of
/// the `count_of_scales` scales and zeros is its own. `numbers` is room for 2 · count_of_scales floats.
int ingot_floats_of_codes(
    ingot_grouped grouped, const uint8_t *codes, const uint8_t *zeros, const float *scales, int64_t count_of_scales,
    const int32_t *scale_of, int64_t count, float *numbers, float *target);

#endif
