/// Root-mean-square and layer norm of rows.

/// Sums run over 64 interleaved partial sums, which are then folded.
INLINE float fold4(const v16 *s) { return sum_lanes((s[0] + s[1]) + (s[2] + s[3])); }

INLINE float sum_of(const float *x, int64_t n) {
  v16 s[4] = {0};
  int64_t i = 0;
  for (; i + 64 <= n; i += 64)
    for (int j = 0; j < 4; j++) s[j] += load16(x + i + 16 * j);
  for (int j = 0; i < n; i += 16, j++) s[j] += load_upto(x + i, n - i, 0);
  return fold4(s);
}

/// Sum of (x - mean)².
INLINE float sum_of_squares(const float *x, int64_t n, float mean) {
  v16 s[4] = {0};
  int64_t i = 0;
  for (; i + 64 <= n; i += 64)
    for (int j = 0; j < 4; j++) {
      v16 d = load16(x + i + 16 * j) - mean;
      s[j] = fma16(d, d, s[j]);
    }
  for (int j = 0; i < n; i += 16, j++) {
    v16 d = load_upto(x + i, n - i, mean) - mean;
    s[j] = fma16(d, d, s[j]);
  }
  return fold4(s);
}

INLINE int64_t norm_row(const ingot_norm_arguments *a, int64_t row, int64_t stride) {
  return a->heads > 1 ? row / a->heads * stride + row % a->heads * a->width : row * stride;
}

/// Stores x + addend where there is one; returns the row to normalise.
INLINE const float *norm_input(const ingot_norm_arguments *a, int64_t row) {
  const float *x = a->x + norm_row(a, row, a->x_stride);
  if (a->addend == NULL) return x;
  const float *addend = a->addend + norm_row(a, row, a->addend_stride);
  float *added = a->added + norm_row(a, row, a->added_stride);
  int64_t n = a->width, i = 0;
  for (; i + 16 <= n; i += 16) store16(added + i, load16(x + i) + load16(addend + i));
  if (i < n) store_part(added + i, load_part(x + i, n - i, 0) + load_part(addend + i, n - i, 0), n - i);
  return added;
}

/// y = (x - mean) · scale · (weight + offset) + bias, each step rounded, as torch does it.
INLINE v16 norm_step(const ingot_norm_arguments *a, const float *x, int64_t i, int64_t n, float mean, float scale) {
  v16 v = (load_upto(x + i, n, 0) - mean) * scale;
  if (a->weight != NULL) v = (load_upto(a->weight + i, n, 0) + a->weight_offset) * v;
  if (a->bias != NULL) v += load_upto(a->bias + i, n, 0);
  return v;
}

INLINE void norm_output(const ingot_norm_arguments *a, const float *x, float *y, float mean, float scale) {
  int64_t n = a->width, i = 0;
  for (; i + 16 <= n; i += 16) store16(y + i, norm_step(a, x, i, 16, mean, scale));
  if (i < n) store_part(y + i, norm_step(a, x, i, n - i, mean, scale), n - i);
}

static void rms_norm(const ingot_norm_arguments *a, int64_t row, int64_t end) {
  ingot_norm_arguments plain = *a;
  plain.bias = NULL;
  for (; row < end; row++) {
    const float *x = norm_input(a, row);
    float mean_square = sum_of_squares(x, a->width, 0) / (float)a->width;
    float scale = 1.0f / __builtin_elementwise_sqrt(mean_square + a->epsilon);
    norm_output(&plain, x, a->y + norm_row(a, row, a->y_stride), 0, scale);
  }
}

static void layer_norm(const ingot_norm_arguments *a, int64_t row, int64_t end) {
  for (; row < end; row++) {
    const float *x = norm_input(a, row);
    float mean = sum_of(x, a->width) / (float)a->width;
    float variance = sum_of_squares(x, a->width, mean) / (float)a->width;
    float scale = 1.0f / __builtin_elementwise_sqrt(variance + a->epsilon);
    norm_output(a, x, a->y + norm_row(a, row, a->y_stride), mean, scale);
  }
}
