/// Sums, extrema and deviations of a row, or of columns over rows.

INLINE float extreme_of(const float *x, int64_t n, int minimum) {
  float none = minimum ? INFINITY : -INFINITY;
  v16 m = splat(none), nan = splat(0);
  for (int64_t i = 0; i < n; i += 16) {
    v16 v = load_upto(x + i, n - i, none);
    m = minimum ? min16(m, v) : max16(m, v);
    nan = select16(v != v, v, nan);
  }
  // The compares may lose a NaN; torch keeps it.
  float poison = sum_lanes(nan);
  return poison != poison ? poison : minimum ? min_lanes(m) : max_lanes(m);
}

static float reduce_row(ingot_reduction op, const float *x, int64_t n) {
  switch (op) {
  case INGOT_SUM: return sum_of(x, n);
  case INGOT_MEAN: return sum_of(x, n) / (float)n;
  case INGOT_AMAX: return extreme_of(x, n, 0);
  case INGOT_AMIN: return extreme_of(x, n, 1);
  case INGOT_NORM: return __builtin_elementwise_sqrt(sum_of_squares(x, n, 0));
  case INGOT_STD: return __builtin_elementwise_sqrt(sum_of_squares(x, n, sum_of(x, n) / (float)n) / (float)(n - 1));
  }
  return 0;
}

/// 16 columns of x [axis, inner], of which `n` exist, in the order of the axis.
INLINE v16 reduce16(ingot_reduction op, const float *x, int64_t axis, int64_t inner, int64_t n) {
  v16 s = splat(op == INGOT_AMAX ? -INFINITY : op == INGOT_AMIN ? INFINITY : 0), mean = splat(0);
  if (op == INGOT_STD) {
    for (int64_t k = 0; k < axis; k++) mean += load_upto(x + k * inner, n, 0);
    mean /= (float)axis;
  }
  for (int64_t k = 0; k < axis; k++) {
    v16 v = load_upto(x + k * inner, n, 0);
    if (op == INGOT_SUM || op == INGOT_MEAN) s += v;
    else if (op == INGOT_AMAX) s = select16(s != s, s, select16(v < s, s, v));
    else if (op == INGOT_AMIN) s = select16(s != s, s, select16(v > s, s, v));
    else s = fma16(v - mean, v - mean, s);
  }
  if (op == INGOT_MEAN) return s / (float)axis;
  if (op == INGOT_NORM) return sqrt16(s);
  if (op == INGOT_STD) return sqrt16(s / (float)(axis - 1));
  return s;
}

static void reduce_columns(
    ingot_reduction op, const float *x, int64_t axis, int64_t inner, int64_t column, int64_t end, float *y) {
  for (; column < end; column += 16)
    store_upto(y + column, reduce16(op, x + column, axis, inner, end - column), end - column);
}
