/// The softmax state of an item: spans merged in the order of positions, and the result at the end.

static void attention_finish(
    const ingot_attention_arguments *a, const attention_item *item, const attention_state *total) {
  int64_t width = round16(a->head_dim);
  for (int64_t r = 0; r < item->rows; r++) {
    float *y = a->y + query_token(a, item, r) * a->y_stride + query_offset(a, item, r);
    const float *o = total->output + r * width;
    v16 inverse = splat(1.0f / total->sum[r]);
    for (int64_t d = 0; d < a->head_dim; d += 16) store_upto(y + d, load16(o + d) * inverse, a->head_dim - d);
  }
}

static void attention_merge(int64_t head_dim, int64_t rows, const attention_state *next, const attention_state *total) {
  int64_t width = round16(head_dim);
  for (int64_t r = 0; r < rows; r++) {
    float m = total->maximum[r], n = next->maximum[r];
    if (n == -INFINITY) continue;   // sees nothing of the span
    const float *from = next->output + r * width;
    float *o = total->output + r * width;
    if (m == -INFINITY) {
      total->maximum[r] = n;
      total->sum[r] = next->sum[r];
      memcpy(o, from, (size_t)width * sizeof *o);
      continue;
    }
    float high = m > n ? m : n;
    v16 scales = exp_negative16((v16){m - high, n - high});
    total->maximum[r] = high;
    total->sum[r] = fma16(splat(next->sum[r]), splat(scales.y), splat(total->sum[r] * scales.x)).x;
    for (int64_t d = 0; d < width; d += 16)
      store16(o + d, fma16(load16(from + d), splat(scales.y), load16(o + d) * scales.x));
  }
}
