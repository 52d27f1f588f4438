/// Packed codes of other quantisers: out of their words and into groups.
#include "include/ingot_packed.h"

#include <math.h>
#include <string.h>

#include "include/ingot_convert.h"

static const uint8_t awq_places[8] = {0, 4, 1, 5, 2, 6, 3, 7};

static inline uint32_t word_at(const ingot_packed *packed, int64_t index) {
  const uint8_t *bytes = (const uint8_t *)packed->words + index * packed->word_bytes;
  if (packed->word_bytes == 1) return *bytes;
  uint32_t word;
  memcpy(&word, bytes, sizeof word);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap32(word);
#endif
  return word + packed->add;
}

static inline int shift_of(const ingot_packed *packed, int64_t place) {
  return packed->bits * (packed->is_awq ? awq_places[place & 7] : (int)place);
}

/// Codes of a word that follow each other along the columns.
static void unpack_along_columns(
    const ingot_packed *packed, int64_t row, int64_t rows, int64_t column, int64_t columns, uint8_t *target,
    int64_t stride) {
  int64_t per = packed->columns_per_word, end = column + columns;
  uint32_t mask = (1u << packed->bits) - 1;
  for (int64_t start = column; start < end;) {
    int64_t word = start / per, next = (word + 1) * per < end ? (word + 1) * per : end;
    // Rows inside: in GPTQ's files the words of neighbouring rows lie side by side.
    for (int64_t r = 0; r < rows; r++) {
      uint32_t bits = word_at(packed, (row + r) * packed->row_stride + word * packed->column_stride);
      uint8_t *to = target + r * stride - column;
      for (int64_t c = start; c < next; c++)
        to[c] = (uint8_t)((bits >> shift_of(packed, c - word * per) & mask) ^ packed->flip);
    }
    start = next;
  }
}

/// Codes of a word that follow each other along the rows.
static void unpack_along_rows(
    const ingot_packed *packed, int64_t row, int64_t rows, int64_t column, int64_t columns, uint8_t *target,
    int64_t stride) {
  int64_t per = packed->rows_per_word, end = row + rows;
  uint32_t mask = (1u << packed->bits) - 1;
  for (int64_t start = row; start < end;) {
    int64_t word = start / per, next = (word + 1) * per < end ? (word + 1) * per : end;
    for (int64_t c = 0; c < columns; c++) {
      uint32_t bits = word_at(packed, word * packed->row_stride + (column + c) * packed->column_stride);
      for (int64_t r = start; r < next; r++)
        target[(r - row) * stride + c] =
            (uint8_t)((bits >> shift_of(packed, r - word * per) & mask) ^ packed->flip);
    }
    start = next;
  }
}

void ingot_unpack_codes(
    const ingot_packed *packed, int64_t row, int64_t rows, int64_t column, int64_t columns, uint8_t *target,
    int64_t stride) {
  (packed->rows_per_word > 1 ? unpack_along_rows : unpack_along_columns)(
      packed, row, rows, column, columns, target, stride);
}

int ingot_words_are(const void *words, int64_t count, uint32_t value) {
  ingot_packed all = {.words = words, .word_bytes = 4};
  for (int64_t i = 0; i < count; i++)
    if (word_at(&all, i) != value) return 0;
  return 1;
}

int ingot_bytes_are(const void *bytes, int64_t count, uint8_t value) {
  const uint8_t *at = bytes;
  for (int64_t i = 0; i < count; i++)
    if (at[i] != value) return 0;
  return 1;
}

void ingot_order_bytes(const uint8_t *x, const int32_t *order, int64_t count, uint8_t *y) {
  for (int64_t i = 0; i < count; i++) y[i] = x[order[i]];
}


/// The scale and minimum of a group, rounded to f16. Returns -1 when one is not finite.
static int group_numbers(ingot_grouped grouped, uint8_t zero, float scale, uint16_t halves[2], float rounded[2]) {
  // 65520 is the first that becomes infinite; NaN fails the comparisons too.
  if (!(fabsf(scale) < 65520.0f)) return -1;
  ingot_f32_to_f16(&scale, &halves[0], 1);
  ingot_f16_to_f32(&halves[0], &rounded[0], 1);
  float middle = grouped.bits == 8 ? 128 : 0;
  float minimum = grouped.minimum ? (middle - (float)zero) * rounded[0] : 0;
  if (!(fabsf(minimum) < 65520.0f)) return -1;
  ingot_f32_to_f16(&minimum, &halves[1], 1);
  ingot_f16_to_f32(&halves[1], &rounded[1], 1);
  return 0;
}

int ingot_groups_of_codes(
    ingot_grouped grouped, const uint8_t *codes, const uint8_t *zeros, const float *scales, int64_t first,
    int64_t groups, int64_t per_scale, void *target) {
  uint8_t *to = target;
  uint8_t flip = grouped.bits == 8 ? 128 : 0;
  for (int64_t g = 0; g < groups; g++, codes += grouped.group, to += ingot_grouped_bytes(grouped)) {
    int64_t own = (first + g) / per_scale - first / per_scale;
    uint16_t halves[2];
    float rounded[2];
    if (group_numbers(grouped, zeros[own], scales[own], halves, rounded) != 0) return -1;
    int8_t q[128];
    for (int i = 0; i < grouped.group; i++) q[i] = (int8_t)(codes[i] ^ flip);
    ingot_join_grouped(grouped, q, &halves[0], &halves[1], 1, to);
  }
  return 0;
}

int ingot_floats_of_codes(
    ingot_grouped grouped, const uint8_t *codes, const uint8_t *zeros, const float *scales, int64_t count_of_scales,
    const int32_t *scale_of, int64_t count, float *numbers, float *target) {
  for (int64_t i = 0; i < count_of_scales; i++) {
    uint16_t halves[2];
    if (group_numbers(grouped, zeros[i], scales[i], halves, numbers + 2 * i) != 0) return -1;
  }
  int middle = grouped.bits == 8 ? 128 : grouped.minimum ? 0 : 8;
  for (int64_t i = 0; i < count; i++) {
    const float *own = numbers + 2 * scale_of[i];
    float value = own[0] * (float)((int)codes[i] - middle);
    target[i] = grouped.minimum ? value + own[1] : value;
  }
  return 0;
}
