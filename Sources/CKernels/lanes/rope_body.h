/// Rotary embedding of heads, and the cache's rows.

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

INLINE void cache_row(const ingot_cache_arguments *a, int64_t token, int64_t head) {
  int64_t slot = a->slots[token], d = a->head_dim, t = slot % INGOT_PAGE;
  // Elements: a page is [kv_heads][keys, values].
  int64_t at = (slot / INGOT_PAGE * a->kv_heads + head) * (2 * INGOT_PAGE * d);
  int64_t key_at = at + t / 16 * (16 * d) + t % 16, value_at = at + (INGOT_PAGE + t) * d;
  const float *k = a->k + token * a->k_stride + head * d, *v = a->v + token * a->v_stride + head * d;
  if (a->type == INGOT_KV_F32) {
    float *pages = a->pages;
    for (int64_t i = 0; i < d; i++) pages[key_at + 16 * i] = k[i];
    memcpy(pages + value_at, v, (size_t)d * sizeof *v);
    return;
  }
  uint16_t *pages = a->pages;
  for (int64_t i = 0; i < d; i += 16) {
    int64_t n = d - i < 16 ? d - i : 16;
    h16 keys = narrow16(load_upto(k + i, n, 0)), values = narrow16(load_upto(v + i, n, 0));
    uint16_t lanes[16];
    memcpy(lanes, &keys, sizeof lanes);
    for (int64_t j = 0; j < n; j++) pages[key_at + 16 * (i + j)] = lanes[j];
    memcpy(pages + value_at + i, &values, (size_t)n * sizeof *pages);
  }
}

static void cache_write(const ingot_cache_arguments *a, int64_t token, int64_t end) {
  // Head by head: neighbouring tokens share the cache lines of a tile of keys.
  for (int64_t head = 0; head < a->kv_heads; head++)
    for (int64_t t = token; t < end; t++) cache_row(a, t, head);
}
