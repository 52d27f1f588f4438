/// Online softmax of one item's rows over the pages of a span.
///
/// Nothing a row does depends on the rows it shares a block with: scores of tokens it does not see are
/// replaced before use, and its values are added over exactly the tokens it sees. So slots nobody has
/// written yet may hold anything.

/// Register blocks of an item: `blocks` of nearly equal size.
INLINE int64_t block_count(int64_t rows) { return (rows + 5) / 6; }
INLINE int64_t block_row(int64_t rows, int64_t block) { return rows * block / block_count(rows); }

INLINE int64_t query_token(const ingot_attention_arguments *a, const attention_item *item, int64_t r) {
  return a->batch->q_start[item->sequence] + (item->row + r) / (a->heads / a->kv_heads);
}
INLINE int64_t query_offset(const ingot_attention_arguments *a, const attention_item *item, int64_t r) {
  int64_t group = a->heads / a->kv_heads;
  return (item->kv_head * group + (item->row + r) % group) * a->head_dim;
}

static void attention_pack(
    const ingot_attention_arguments *a, const attention_item *item, const attention_scratch *scratch) {
  for (int64_t r = 0; r < item->rows; r++) {
    int64_t position = a->batch->positions[query_token(a, item, r)];
    scratch->high[r] = (int32_t)position;
    scratch->low[r] = a->window > 0 && position >= a->window ? (int32_t)(position - a->window + 1) : 0;
  }
  for (int64_t block = 0; block < block_count(item->rows); block++) {
    int64_t row = block_row(item->rows, block), n = block_row(item->rows, block + 1) - row;
    float *packed = scratch->queries + row * round16(a->head_dim);
    const float *q[6];
    for (int64_t r = 0; r < n; r++)
      q[r] = a->q + query_token(a, item, row + r) * a->q_stride + query_offset(a, item, row + r);
    int64_t d = 0;
    // Each store is completed by the next, as it is longer than n.
    for (; d + 8 < a->head_dim; d += 8) {
      v8 x[8] = {0};
      for (int64_t r = 0; r < n; r++) memcpy(&x[r], q[r] + d, sizeof x[r]);
      transpose8(x);
      for (int i = 0; i < 8; i++, packed += n) memcpy(packed, &x[i], sizeof x[i]);
    }
    for (; d < a->head_dim; d++)
      for (int64_t r = 0; r < n; r++) *packed++ = q[r][d];
    for (; d % 16 != 0; d++)
      for (int64_t r = 0; r < n; r++) *packed++ = 0;
  }
}

/// Which tokens of the page each row sees; returns the union.
static void visible(
    const attention_item *item, int64_t page, const attention_scratch *scratch, int64_t *first, int64_t *end) {
  int32_t start = (int32_t)(page * INGOT_PAGE), lowest = INGOT_PAGE, highest = 0;
  for (int64_t r = 0; r < item->rows; r++) {
    int32_t f = scratch->low[r] - start, e = scratch->high[r] + 1 - start;
    if (f < 0) f = 0;
    if (e > INGOT_PAGE) e = INGOT_PAGE;
    if (f >= e) f = e = 0;
    else {
      if (f < lowest) lowest = f;
      if (e > highest) highest = e;
    }
    scratch->first[r] = f;
    scratch->end[r] = e;
  }
  *first = lowest;
  *end = highest;
}

INLINE i16 in_range(int64_t first, int64_t end, int tile) {
  i16 t = lane_index() + tile * 16;
  return (t >= (int32_t)first) & (t < (int32_t)end);
}

/// Scales a row's scores and hides tokens it does not see; returns the maximum.
INLINE float mask_scores(float *s, int64_t first, int64_t end, float scale, float softcap) {
  v16 m = splat(-INFINITY);
  if (first == 0 && end == INGOT_PAGE && softcap == 0) {
    UNROLL for (int tile = 0; tile < INGOT_PAGE / 16; tile++) {
      v16 v = load16(s + 16 * tile) * scale;
      store16(s + 16 * tile, v);
      m = max16(m, v);
    }
    return max_lanes(m);
  }
  for (int tile = (int)(first / 16); tile * 16 < end; tile++) {
    v16 v = load16(s + 16 * tile) * scale;
    if (softcap != 0) v = softcap * tanh16(v / softcap);
    v = select16(in_range(first, end, tile), v, splat(-INFINITY));
    store16(s + 16 * tile, v);
    m = max16(m, v);
  }
  return max_lanes(m);
}

/// Scores to probabilities exp(s - maximum), 0 for hidden tokens; returns their sum.
INLINE float exponentiate(float *s, int64_t first, int64_t end, float maximum) {
  v16 p[4] = {0};
  if (first == 0 && end == INGOT_PAGE) {
    UNROLL for (int tile = 0; tile < INGOT_PAGE / 16; tile++) {
      p[tile] = exp_negative16(load16(s + 16 * tile) - maximum);
      store16(s + 16 * tile, p[tile]);
    }
  } else {
    UNROLL for (int tile = 0; tile < INGOT_PAGE / 16; tile++) {
      if (tile * 16 >= end || tile * 16 + 16 <= first) continue;
      p[tile] = exp_negative16(load16(s + 16 * tile) - maximum);
      store16(s + 16 * tile, p[tile]);
    }
  }
  return sum_lanes((p[0] + p[1]) + (p[2] + p[3]));
}

static void softmax_page(
    const ingot_attention_arguments *a, int64_t rows, const attention_scratch *scratch, const attention_state *state) {
  float highest[ATTENTION_ROWS];
  for (int64_t r = 0; r < ATTENTION_ROWS; r++) scratch->scale[r] = 0;
  for (int64_t r = 0; r < rows; r++) {
    if (scratch->first[r] == scratch->end[r]) continue;
    float m = mask_scores(
        scratch->scores + r * INGOT_PAGE, scratch->first[r], scratch->end[r], a->scale, a->softcap);
    highest[r] = m > state->maximum[r] ? m : state->maximum[r];
    scratch->scale[r] = state->maximum[r] - highest[r];
  }
  for (int64_t r = 0; r < rows; r += 16) store16(scratch->scale + r, exp_negative16(load16(scratch->scale + r)));
  int64_t width = round16(a->head_dim);
  for (int64_t r = 0; r < rows; r++) {
    if (scratch->first[r] == scratch->end[r]) continue;
    float sum = exponentiate(scratch->scores + r * INGOT_PAGE, scratch->first[r], scratch->end[r], highest[r]);
    float scale = scratch->scale[r];
    state->maximum[r] = highest[r];
    state->sum[r] = state->sum[r] * scale + sum;
    if (scale == 1.0f) continue;   // x · 1 is x
    float *o = state->output + r * width;
    for (int64_t d = 0; d < width; d += 16) store16(o + d, load16(o + d) * scale);
  }
}

/// Adds the page's values to a register block's outputs: the tokens all rows see together, the others alone.
static void add_values(
    const value_arguments *values, const attention_scratch *scratch, int64_t row, int64_t n) {
  int64_t first = 0, end = INGOT_PAGE;
  for (int64_t r = row; r < row + n; r++) {
    if (scratch->first[r] > first) first = scratch->first[r];
    if (scratch->end[r] < end) end = scratch->end[r];
  }
  if (end < first) end = first;
  for (int part = 0; part < 3; part++) {
    if (part == 1) {
      if (first < end) add_tokens(values, n, first, end);
      continue;
    }
    for (int64_t r = 0; r < n; r++) {
      int64_t f = scratch->first[row + r], e = scratch->end[row + r];
      if (part == 0 && e > first) e = first;
      if (part == 2 && f < end) f = end;
      if (f >= e) continue;
      value_arguments one = *values;
      one.probabilities += r * INGOT_PAGE;
      one.output += r * values->width;
      add_tokens(&one, 1, f, e);
    }
  }
}

INLINE const char *page_keys(const ingot_attention_arguments *a, const attention_item *item, int64_t page) {
  int64_t id = a->batch->block_tables[item->sequence * a->batch->max_blocks + page];
  return (const char *)a->pages + (id * a->kv_heads + item->kv_head) * kv_layout_of(a->type, a->head_dim).bytes;
}

/// Widens four dims of 16 keys a step, and 16 dims of four values.
static void stage_bytes(
    const char *page, const kv_layout *l, int64_t first, int64_t end, const attention_scratch *scratch) {
  for (int64_t tile = first / 16 * 16; tile < end; tile += 16)
    for (int64_t d = 0; d < l->width; d += 4) {
      i16 bytes = load_ints(page + tile * l->width + d * 16);
      v16 scale = load16(scratch->scales + d / INGOT_KV_GROUP * INGOT_PAGE + tile);
      UNROLL for (int i = 0; i < 4; i++)
        store16(scratch->keys + tile * l->width + (d + i) * 16, byte16(bytes, i) * scale);
    }
  const float *scales = scratch->scales + l->groups * INGOT_PAGE;
  for (int64_t d = 0; d < l->width; d += 16)
    for (int64_t t = first / 4 * 4; t < end; t += 4) {
      i16 bytes = load_ints(page + l->values + t * l->width + d * 4);
      UNROLL for (int i = 0; i < 4; i++)
        store16(
            scratch->values + d * INGOT_PAGE + 16 * (t + i),
            byte16(bytes, i) * scales[d / INGOT_KV_GROUP * INGOT_PAGE + t + i]);
    }
}

/// Widens the page's tokens [first, end) and lays values out in panels, for items with many rows.
static void stage_page(
    const char *page, ingot_kv type, int64_t head_dim, int64_t first, int64_t end, const attention_scratch *scratch) {
  kv_layout l = kv_layout_of(type, head_dim);
  if (type == INGOT_KV_I8) {
    stage_bytes(page, &l, first, end, scratch);
    return;
  }
  int half = type == INGOT_KV_F16;
  if (half) {
    int64_t tile = first / 16 * 16 * head_dim, count = round16(end) * head_dim - tile;
    widen_f16((const uint16_t *)page + tile, scratch->keys + tile, count);
  }
  const char *values = page + l.values;
  for (int64_t d = 0; d < head_dim; d += 16) {
    float *panel = scratch->values + d * INGOT_PAGE;
    int64_t n = head_dim - d;
    for (int64_t t = first; t < end; t++)
      store16(
          panel + 16 * t, n >= 16 ? load_element(half, values, t * head_dim + d)
                                  : load_element_part(half, values, t * head_dim + d, n));
  }
}

/// Scales of bytes, times the 2^-24 that they are read with; those of `next` are fetched.
static void widen_scales(const char *scales, int64_t count, const char *next, float *target) {
  for (int64_t i = 0; i < count; i += 16) {
    if (i % 32 == 0) __builtin_prefetch(next + 2 * i, 0, 2);
    store16(target + i, load_half((const uint16_t *)scales + i) * splat(0x1p-24f));
  }
}

static void attend_page(
    const ingot_attention_arguments *a, const attention_item *item, int64_t page, int64_t first, int64_t end,
    const attention_scratch *scratch, const attention_state *state) {
  kv_layout l = kv_layout_of(a->type, a->head_dim);
  int64_t blocks = block_count(item->rows), width = round16(a->head_dim);
  const char *keys = page_keys(a, item, page), *next = keys;
  if ((page + 1) * INGOT_PAGE < a->batch->seq_len[item->sequence]) next = page_keys(a, item, page + 1);
  widen_scales(keys + l.scales, 2 * l.groups * INGOT_PAGE, next + l.scales, scratch->scales);
  score_arguments scores = {
    keys, scratch->scales, scratch->queries, scratch->scores, l.width, a->type, keys + l.values};
  value_arguments values = {
    keys + l.values, scratch->scales + l.groups * INGOT_PAGE, l.width, 16, scratch->scores, state->output, width,
    a->head_dim, a->type, next};
  if (item->rows > 12) {
    stage_page(keys, a->type, a->head_dim, first, end, scratch);
    if (a->type != INGOT_KV_F32) scores.keys = (const char *)scratch->keys;
    scores.type = values.type = INGOT_KV_F32;
    values.values = (const char *)scratch->values;
    values.token_stride = 16;
    values.panel_stride = 16 * INGOT_PAGE;
  }
  for (int64_t block = 0; block < blocks; block++) {
    int64_t row = block_row(item->rows, block), n = block_row(item->rows, block + 1) - row;
    scores.queries = scratch->queries + row * width;
    scores.scores = scratch->scores + row * INGOT_PAGE;
    score_functions[n](&scores, first / 16, (end + 15) / 16);
  }
  softmax_page(a, item->rows, scratch, state);
  for (int64_t block = 0; block < blocks; block++) {
    int64_t row = block_row(item->rows, block), n = block_row(item->rows, block + 1) - row;
    values.probabilities = scratch->scores + row * INGOT_PAGE;
    values.output = state->output + row * width;
    add_values(&values, scratch, row, n);
  }
}

static void attention_span(
    const ingot_attention_arguments *a, const attention_item *item, int64_t span, const attention_scratch *scratch,
    const attention_state *state) {
  for (int64_t r = 0; r < item->rows; r++) {
    state->maximum[r] = -INFINITY;
    state->sum[r] = 0;
  }
  memset(state->output, 0, (size_t)(item->rows * round16(a->head_dim)) * sizeof *state->output);
  for (int64_t page = span * ATTENTION_SPAN; page < (span + 1) * ATTENTION_SPAN; page++) {
    int64_t first, end;
    visible(item, page, scratch, &first, &end);
    if (first < end) attend_page(a, item, page, first, end, scratch, state);
  }
}
