/// Rows of the key/value cache.

INLINE void cache_row_f32(const kv_layout *l, char *page, int64_t t, const float *k, const float *v) {
  float *keys = (float *)page + t / 16 * 16 * l->width + t % 16;
  for (int64_t i = 0; i < l->width; i++) keys[16 * i] = k[i];
  memcpy(page + l->values + t * l->width * 4, v, (size_t)l->width * sizeof *v);
}

INLINE void cache_row_f16(const kv_layout *l, char *page, int64_t t, const float *k, const float *v) {
  uint16_t *keys = (uint16_t *)page + t / 16 * 16 * l->width + t % 16;
  uint16_t *values = (uint16_t *)(page + l->values) + t * l->width;
  for (int64_t i = 0; i < l->width; i += 16) {
    int64_t n = l->width - i < 16 ? l->width - i : 16;
    h16 key = narrow16(load_upto(k + i, n, 0)), value = narrow16(load_upto(v + i, n, 0));
    uint16_t lanes[16];
    memcpy(lanes, &key, sizeof lanes);
    for (int64_t j = 0; j < n; j++) keys[16 * (i + j)] = lanes[j];
    memcpy(values + i, &value, (size_t)n * sizeof *values);
  }
}

/// A row's bytes, zeros up to a multiple of 16; its scales INGOT_PAGE apart.
INLINE void quantize_cached(const float *x, int64_t head_dim, int8_t *bytes, uint16_t *scales) {
  for (int64_t start = 0; start < head_dim; start += INGOT_KV_GROUP, scales += INGOT_PAGE) {
    int64_t n = head_dim - start < INGOT_KV_GROUP ? head_dim - start : INGOT_KV_GROUP;
    v16 parts[2] = {load_upto(x + start, n, 0), n > 16 ? load_upto(x + start + 16, n - 16, 0) : splat(0)};
    // As integers, magnitudes have an order with NaN above infinity above the rest.
    i16 a = bits_of(abs16(parts[0])), b = bits_of(abs16(parts[1]));
    i16 high = a > b ? a : b;
    int32_t largest = 0;
    for (int i = 0; i < 16; i++) largest = high[i] > largest ? high[i] : largest;
    float amax = float_of((i16)largest)[0];
    h16 half = narrow16(splat(largest < 0x7F800000 ? amax / 127.0f : NAN));
    float scale = widen16(half)[0];
    *scales = half[0];
    v16 inverse = splat(scale > 0 ? 1.0f / scale : 0.0f);
    for (int part = 0; part * 16 < n; part++) {
      v16 y = max16(splat(-127.0f), min16(splat(127.0f), parts[part] * inverse));
      if (!(scale > 0)) y = splat(0);
      // Adding 1.5 · 2^23 rounds to an integer, which then stands in the low bits.
      i16 whole = bits_of(y + splat(12582912.0f)) - bits_of(splat(12582912.0f));
      b16 narrow = __builtin_convertvector(whole, b16);
      memcpy(bytes + start + 16 * part, &narrow, sizeof narrow);
    }
  }
}

INLINE void cache_row_i8(
    const kv_layout *l, char *page, int64_t head_dim, int64_t t, const float *k, const float *v) {
  int8_t bytes[INGOT_KV_GROUP * 16];   // a few groups at a time: rows have any length
  uint16_t *scales = (uint16_t *)(page + l->scales) + t;
  char *keys = page + t / 16 * 16 * l->width + t % 16 * 4, *values = page + l->values + t / 4 * 4 * l->width + t % 4;
  for (int64_t start = 0; start < head_dim; start += (int64_t)sizeof bytes) {
    int64_t n = head_dim - start < (int64_t)sizeof bytes ? head_dim - start : (int64_t)sizeof bytes;
    int64_t rounded = round16(n);
    uint16_t *at = scales + start / INGOT_KV_GROUP * INGOT_PAGE;
    quantize_cached(k + start, n, bytes, at);
    for (int64_t i = 0; i < rounded; i += 4) memcpy(keys + (start + i) * 16, bytes + i, 4);
    quantize_cached(v + start, n, bytes, at + l->groups * INGOT_PAGE);
    for (int64_t i = 0; i < rounded; i++) values[(start + i) * 4] = (char)bytes[i];
  }
}

static void cache_write(const ingot_cache_arguments *a, int64_t token, int64_t end) {
  kv_layout l = kv_layout_of(a->type, a->head_dim);
  // Head by head: neighbouring tokens share the cache lines of a tile of keys.
  for (int64_t head = 0; head < a->kv_heads; head++)
    for (int64_t t = token; t < end; t++) {
      int64_t slot = a->slots[t];
      char *page = (char *)a->pages + (slot / INGOT_PAGE * a->kv_heads + head) * l.bytes;
      const float *k = a->k + t * a->k_stride + head * a->head_dim, *v = a->v + t * a->v_stride + head * a->head_dim;
      switch (a->type) {
        case INGOT_KV_F32: cache_row_f32(&l, page, slot % INGOT_PAGE, k, v); break;
        case INGOT_KV_F16: cache_row_f16(&l, page, slot % INGOT_PAGE, k, v); break;
        case INGOT_KV_I8: cache_row_i8(&l, page, a->head_dim, slot % INGOT_PAGE, k, v); break;
      }
    }
}
