// Matrices turned in squares of 16-byte vectors. The vectors are the compiler's own, so that one text serves every
// processor: a turn is loads, interleavings and stores, which the narrowest instruction sets have too.
#include "ingot_transpose.h"

#include <stddef.h>
#include <string.h>

typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef uint16_t halves8 __attribute__((vector_size(16)));
typedef uint32_t words4 __attribute__((vector_size(16)));

static inline bytes16 low1(bytes16 a, bytes16 b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
static inline bytes16 high1(bytes16 a, bytes16 b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
static inline halves8 low2(halves8 a, halves8 b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
static inline halves8 high2(halves8 a, halves8 b) {
  return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}
static inline words4 low4(words4 a, words4 b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
static inline words4 high4(words4 a, words4 b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }

/// Defines `turnS`: whole squares of 16 / S by 16 / S elements, those that fill a 64-byte line of y one after another.
/// A square turns in log2 rounds that interleave row i with row i + half.
#define DEFINE_TURN(S, VECTOR, LANES, ROUNDS)                                                                        \
  static inline void square##S(const char *x, int64_t x_bytes, char *y, int64_t y_bytes) {                           \
    VECTOR v[LANES], w[LANES];                                                                                       \
    for (int i = 0; i < LANES; i++) memcpy(&v[i], x + i * x_bytes, 16);                                              \
    for (int round = 0; round < ROUNDS; round++) {                                                                   \
      for (int i = 0; i < LANES / 2; i++) {                                                                          \
        w[2 * i] = low##S(v[i], v[i + LANES / 2]);                                                                   \
        w[2 * i + 1] = high##S(v[i], v[i + LANES / 2]);                                                              \
      }                                                                                                              \
      for (int i = 0; i < LANES; i++) v[i] = w[i];                                                                   \
    }                                                                                                                \
    for (int i = 0; i < LANES; i++) memcpy(y + i * y_bytes, &v[i], 16);                                              \
  }                                                                                                                  \
  static void turn##S(const char *x, int64_t x_bytes, int64_t rows, int64_t columns, char *y, int64_t y_bytes) {     \
    for (int64_t line = 0; line < rows; line += 64 / S) {                                                            \
      int64_t end = line + 64 / S < rows ? line + 64 / S : rows;                                                     \
      for (int64_t column = 0; column < columns; column += LANES) {                                                  \
        for (int64_t row = line; row < end; row += LANES) {                                                          \
          square##S(x + row * x_bytes + column * S, x_bytes, y + column * y_bytes + row * S, y_bytes);               \
        }                                                                                                            \
      }                                                                                                              \
    }                                                                                                                \
  }

DEFINE_TURN(1, bytes16, 16, 4)
DEFINE_TURN(2, halves8, 8, 3)
DEFINE_TURN(4, words4, 4, 2)

/// What the squares leave.
static void turn_singly(
    int size, const char *x, int64_t x_bytes, int64_t rows, int64_t columns, char *y, int64_t y_bytes) {
  for (int64_t row = 0; row < rows; row++) {
    for (int64_t column = 0; column < columns; column++) {
      memcpy(y + column * y_bytes + row * size, x + row * x_bytes + column * size, (size_t)size);
    }
  }
}

void ingot_transpose(
    int element_bytes, const void *x, int64_t x_stride, int64_t rows, int64_t columns, void *y, int64_t y_stride) {
  int64_t x_bytes = x_stride * element_bytes, y_bytes = y_stride * element_bytes, lanes = 16 / element_bytes;
  int64_t whole_rows = rows / lanes * lanes, whole_columns = columns / lanes * lanes;
  const char *source = x;
  char *target = y;
  switch (element_bytes) {
    case 1: turn1(source, x_bytes, whole_rows, whole_columns, target, y_bytes); break;
    case 2: turn2(source, x_bytes, whole_rows, whole_columns, target, y_bytes); break;
    default: turn4(source, x_bytes, whole_rows, whole_columns, target, y_bytes); break;
  }
  turn_singly(
      element_bytes, source + whole_columns * element_bytes, x_bytes, whole_rows, columns - whole_columns,
      target + whole_columns * y_bytes, y_bytes);
  turn_singly(
      element_bytes, source + whole_rows * x_bytes, x_bytes, rows - whole_rows, columns,
      target + whole_rows * element_bytes, y_bytes);
}
