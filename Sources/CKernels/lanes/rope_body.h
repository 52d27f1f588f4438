/// Rotary embedding of heads.

/// (x1 cos - x2 sin, x2 cos + x1 sin), each product rounded, as torch does it.
INLINE void rotate(v16 *a, v16 *b, v16 cosine, v16 sine) {
  v16 x1 = *a, x2 = *b;
  *a = x1 * cosine - x2 * sine;
  *b = x2 * cosine + x1 * sine;
}

INLINE void rope_halves(const float *x, float *y, const float *table, int64_t half) {
  for (int64_t i = 0; i < half; i += 16) {
    int64_t n = half - i;
    v16 a = load_upto(x + i, n, 0), b = load_upto(x + half + i, n, 0);
    rotate(&a, &b, load_upto(table + i, n, 0), load_upto(table + half + i, n, 0));
    store_upto(y + i, a, n);
    store_upto(y + half + i, b, n);
  }
}

INLINE void rope_neighbours(const float *x, float *y, const float *table, int64_t half) {
  int64_t i = 0;
  for (; i + 16 <= half; i += 16) {
    v16 p = load16(x + 2 * i), q = load16(x + 2 * i + 16);
    v16 a = __builtin_shufflevector(p, q, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    v16 b = __builtin_shufflevector(p, q, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    rotate(&a, &b, load16(table + i), load16(table + half + i));
    store16(y + 2 * i, __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
    store16(
        y + 2 * i + 16,
        __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31));
  }
  for (; i < half; i++) {
    float a = x[2 * i], b = x[2 * i + 1], cosine = table[i], sine = table[half + i];
    y[2 * i] = a * cosine - b * sine;
    y[2 * i + 1] = b * cosine + a * sine;
  }
}

static void rope(const ingot_rope_arguments *a, int64_t token, int64_t end) {
  for (; token < end; token++) {
    const float *table = a->tables[a->table_of ? a->table_of[token] : 0] + a->positions[token] * a->rotary_dim;
    for (int64_t head = 0; head < a->heads; head++) {
      const float *x = a->x + token * a->x_stride + head * a->head_dim;
      float *y = a->y + token * a->y_stride + head * a->head_dim;
      if (a->interleaved) rope_neighbours(x, y, table, a->rotary_dim / 2);
      else rope_halves(x, y, table, a->rotary_dim / 2);
      if (y != x) memcpy(y + a->rotary_dim, x + a->rotary_dim, (size_t)(a->head_dim - a->rotary_dim) * sizeof *y);
    }
  }
}
