/// What the search for scales and limits of weights computes for every weight many times; see `ScaleSearch`.
///
/// Results do not depend on threads or instruction set.
#ifndef INGOT_SEARCH_H
#define INGOT_SEARCH_H

#include "ingot_context.h"
#include "ingot_grouped.h"

/// Rows of a weight, `width` (a multiple of the group) apart.
typedef struct ingot_weight_rows {
  ingot_grouped grouped;  ///< what they are rounded to
  int64_t rows, width;
  const float *weights;
  const float *scales;    ///< of the columns; NULL for 1
} ingot_weight_rows;

/// What rounding changes in scaled weights, in their own scale: rounded(w · s) / s - w.
ingot_quantized ingot_rounding_differences(
    const ingot_context *context, const ingot_weight_rows *weights, float *differences);

/// Of each group of w · s the limit with which rounding loses least: the largest weight times 1 - shrink / `steps`, of
/// `candidates` shrinks from 0 on. A loss is dᵀ · m · d, d being what limit and rounding change.
/// `moments`: of each group of columns [group, group]. `shrinks`: [rows, groups].
ingot_quantized ingot_search_limits(
    const ingot_context *context, const ingot_weight_rows *weights, const float *moments, int steps, int candidates,
    uint8_t *shrinks);

/// Σ (x · dᵀ)², x being [count, width] and d [rows, width].
/// `scratch` of the context: `ingot_product_energy_bytes`.
double ingot_product_energy(
    const ingot_context *context, const float *x, int64_t count, const float *d, int64_t rows, int64_t width);
size_t ingot_product_energy_bytes(int64_t count, int64_t rows, int64_t width, int threads);

#endif
