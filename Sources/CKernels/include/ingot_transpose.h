/// Turning matrices, for weights that others want with their axes swapped.
#ifndef INGOT_TRANSPOSE_H
#define INGOT_TRANSPOSE_H

#include <stdint.h>

/// y[c, r] = x[r, c] for elements of 1, 2 or 4 bytes. Strides in elements from row to row; x and y do not overlap
/// and need no alignment. Reads whole 16-byte runs of a row and writes 64-byte runs where the extents allow.
void ingot_transpose(
    int element_bytes, const void *x, int64_t x_stride, int64_t rows, int64_t columns, void *y, int64_t y_stride);

#endif
