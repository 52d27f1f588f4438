/// The two products of attention on register blocks of up to six query rows.
///
/// scores[r][t] = Σ q[r][d] k[d][t], d ascending: 16 tokens are the lanes.
/// output[r][d] += Σ p[r][t] v[t][d], t ascending: 16 dims are the lanes.
///
/// Bytes times their scale are exact in f32, so a cache of bytes gives what one of the same numbers in f32 gives.

typedef struct score_arguments {
  const char *keys;        ///< tiles as a page holds them
  const float *scales;     ///< of bytes: [groups][INGOT_PAGE]
  const float *queries;    ///< [head_dim rounded up to 16][rows]
  float *scores;           ///< [rows][INGOT_PAGE]
  int64_t width;           ///< of a page's row
  ingot_kv type;
  const char *next;        ///< as many elements that will be needed next: the page's values
} score_arguments;

typedef struct value_arguments {
  const char *values;
  const float *scales;     ///< of bytes: [groups][INGOT_PAGE]
  int64_t token_stride;    ///< elements from token to token; of bytes, a quarter of those from 4 tokens to the next
  int64_t panel_stride;    ///< and from 16 dims to the next 16
  const float *probabilities;   ///< [rows][INGOT_PAGE]
  float *output;           ///< [rows][width]
  int64_t width;           ///< head_dim rounded up to 16
  int64_t head_dim;
  ingot_kv type;
  const char *next;        ///< as many elements that will be needed next: the keys of the next page
} value_arguments;

INLINE v16 load_element(int half, const char *p, int64_t at) {
  return half ? load_half((const uint16_t *)p + at) : load16((const float *)p + at);
}
INLINE v16 load_element_part(int half, const char *p, int64_t at, int64_t n) {
  return half ? load_half_part((const uint16_t *)p + at, n) : load_part((const float *)p + at, n, 0);
}

#define UNROLL _Pragma("clang loop unroll(full)")

INLINE reg load_register(int half, const char *p, int64_t at) {
  return half ? load_half_reg((const uint16_t *)p + at) : load_reg((const float *)p + at);
}

/// Registers of 16 lanes, and where register j of several sixteens lies: `stride` from one to the next.
enum { PARTS = 16 / LANES_REGISTER };
#define PART_AT(j, stride) ((j) / PARTS * (stride) + (j) % PARTS * LANES_REGISTER)

/// s[r][j] += x[r] · w[j] for ROWS × COUNT registers. Three rows hold x and stream w, the others hold w and
/// stream x: what is held and the accumulators just fit 16 registers.
#define MULTIPLY_ADD(ROWS, COUNT, X, W) do { \
    if (ROWS == 3) { \
      reg x[ROWS]; \
      UNROLL for (int r = 0; r < ROWS; r++) x[r] = (reg)(X); \
      UNROLL for (int j = 0; j < COUNT; j++) { \
        reg w = W; \
        UNROLL for (int r = 0; r < ROWS; r++) s[r][j] = fma_reg(x[r], w, s[r][j]); \
      } \
    } else { \
      reg w[COUNT]; \
      UNROLL for (int j = 0; j < COUNT; j++) w[j] = W; \
      UNROLL for (int r = 0; r < ROWS; r++) { \
        reg x = (reg)(X); \
        UNROLL for (int j = 0; j < COUNT; j++) s[r][j] = fma_reg(x, w[j], s[r][j]); \
      } \
    } \
  } while (0)

/// Fetches what lies as far into `next` as the loop is in its own operand. Only blocks of few rows wait for memory.
#define FETCH_NEXT(ROWS, COUNT, SIZE, AT) \
  if (ROWS < 6) \
    UNROLL for (int j = 0; j < COUNT; j++) __builtin_prefetch(a->next + (AT) * (SIZE), 0, 2);

/// Scores of ROWS queries and TILES tiles of 16 tokens.
#define SCORE_BLOCK(ROWS, TILES, HALF) do { \
    int64_t stride = 16 * a->width; \
    reg s[ROWS][TILES * PARTS]; \
    UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int j = 0; j < TILES * PARTS; j++) s[r][j] = (reg)0.0f; \
    for (int64_t d = 0; d < a->width; d++) { \
      FETCH_NEXT(ROWS, TILES, HALF ? 2 : 4, (tile + j) * stride + 16 * d) \
      MULTIPLY_ADD( \
          ROWS, TILES * PARTS, a->queries[d * ROWS + r], \
          load_register(HALF, a->keys, tile * stride + 16 * d + PART_AT(j, stride))); \
    } \
    UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int j = 0; j < TILES * PARTS; j++) \
      store_reg(a->scores + r * INGOT_PAGE + tile * 16 + PART_AT(j, 16), s[r][j]); \
  } while (0)

/// The same of bytes, four dims at a time.
#define SCORE_BYTES(ROWS, TILES) do { \
    int64_t stride = 16 * a->width; \
    reg s[ROWS][TILES * PARTS]; \
    UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int j = 0; j < TILES * PARTS; j++) s[r][j] = (reg)0.0f; \
    const float *scales = a->scales + tile * 16; \
    for (int64_t d = 0; d < a->width; scales += INGOT_PAGE) { \
      reg scale[TILES * PARTS]; \
      UNROLL for (int j = 0; j < TILES * PARTS; j++) scale[j] = load_reg(scales + PART_AT(j, 16)); \
      int64_t stop = d + INGOT_KV_GROUP < a->width ? d + INGOT_KV_GROUP : a->width; \
      for (; d < stop; d += 4) { \
        FETCH_NEXT(ROWS, TILES, 1, (tile + j) * stride + 16 * d) \
        int_reg bytes[TILES * PARTS]; \
        UNROLL for (int j = 0; j < TILES * PARTS; j++) \
          bytes[j] = load_int_reg( \
              a->keys + tile * stride + 16 * d + j / PARTS * stride + j % PARTS * LANES_REGISTER * 4); \
        UNROLL for (int i = 0; i < 4; i++) \
          MULTIPLY_ADD(ROWS, TILES * PARTS, a->queries[(d + i) * ROWS + r], byte_of(bytes[j], i) * scale[j]); \
      } \
    } \
    UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int j = 0; j < TILES * PARTS; j++) \
      store_reg(a->scores + r * INGOT_PAGE + tile * 16 + PART_AT(j, 16), s[r][j]); \
  } while (0)

/// Adds to 16 · PANELS dims of ROWS outputs.
#define VALUE_BLOCK(ROWS, PANELS, HALF) do { \
    reg s[ROWS][PANELS * PARTS]; \
    float *out = a->output + 16 * panel; \
    UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int j = 0; j < PANELS * PARTS; j++) \
      s[r][j] = load_reg(out + r * a->width + PART_AT(j, 16)); \
    for (int64_t t = first; t < end; t++) { \
      FETCH_NEXT(ROWS, PANELS, HALF ? 2 : 4, (panel + j) * 16 * INGOT_PAGE + 16 * t) \
      MULTIPLY_ADD( \
          ROWS, PANELS * PARTS, a->probabilities[r * INGOT_PAGE + t], \
          load_register( \
              HALF, a->values, t * a->token_stride + panel * a->panel_stride + PART_AT(j, a->panel_stride))); \
    } \
    UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int j = 0; j < PANELS * PARTS; j++) \
      store_reg(out + r * a->width + PART_AT(j, 16), s[r][j]); \
  } while (0)

/// The same of bytes, whole fours of tokens. PANELS is even or 1, so that panels 2n and 2n + 1 share scales.
#define VALUE_BYTES(ROWS, PANELS) do { \
    reg s[ROWS][PANELS * PARTS]; \
    float *out = a->output + 16 * panel; \
    const float *scales = a->scales + panel / 2 * INGOT_PAGE; \
    UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int j = 0; j < PANELS * PARTS; j++) \
      s[r][j] = load_reg(out + r * a->width + PART_AT(j, 16)); \
    for (int64_t t = first; t < end; t += 4) { \
      FETCH_NEXT(ROWS, PANELS, 1, t * a->width + (panel + j) * 64) \
      int_reg bytes[PANELS * PARTS]; \
      UNROLL for (int j = 0; j < PANELS * PARTS; j++) \
        bytes[j] = load_int_reg(a->values + t * a->width + panel * 64 + j * LANES_REGISTER * 4); \
      UNROLL for (int i = 0; i < 4; i++) \
        MULTIPLY_ADD( \
            ROWS, PANELS * PARTS, a->probabilities[r * INGOT_PAGE + t + i], \
            byte_of(bytes[j], i) * scales[j / PARTS / 2 * INGOT_PAGE + t + i]); \
    } \
    UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int j = 0; j < PANELS * PARTS; j++) \
      store_reg(out + r * a->width + PART_AT(j, 16), s[r][j]); \
  } while (0)

/// Bytes of the tokens [first, end) of one four.
static void value_bytes_edge(const value_arguments *a, int rows, int64_t first, int64_t end) {
  for (int64_t panel = 0; panel < a->width / 16; panel++) {
    i16 bytes = load_ints(a->values + first / 4 * 4 * a->width + panel * 64);
    for (int64_t t = first; t < end; t++) {
      v16 v = byte16(bytes, (int)(t % 4)) * a->scales[panel / 2 * INGOT_PAGE + t];
      for (int r = 0; r < rows; r++) {
        float *out = a->output + r * a->width + 16 * panel;
        store16(out, fma16(splat(a->probabilities[r * INGOT_PAGE + t]), v, load16(out)));
      }
    }
  }
}

/// The last dims, fewer than 16, where values are read in place: a whole vector could leave the page.
static void value_tail(const value_arguments *a, int rows, int64_t first, int64_t end) {
  int64_t panel = a->head_dim / 16, n = a->head_dim % 16;
  for (int r = 0; r < rows; r++) {
    float *out = a->output + r * a->width + 16 * panel;
    v16 o = load16(out);
    for (int64_t t = first; t < end; t++) {
      v16 v = load_element_part(a->type == INGOT_KV_F16, a->values, t * a->token_stride + panel * a->panel_stride, n);
      o = fma16(splat(a->probabilities[r * INGOT_PAGE + t]), v, o);
    }
    store16(out, o);
  }
}

/// Tiles (panels) [first, end) by as many at once as leave the accumulators in registers: of f32, of f16, whose
/// conversions the compiler moves forward and spills for, and of bytes.
#define BLOCK_FUNCTIONS(ROWS, AT_ONCE, HALF_AT_ONCE, BYTES_AT_ONCE) \
  static void score_##ROWS(const score_arguments *a, int64_t tile, int64_t end) { \
    switch (a->type) { \
      case INGOT_KV_F32: \
        for (; tile + AT_ONCE <= end; tile += AT_ONCE) SCORE_BLOCK(ROWS, AT_ONCE, 0); \
        for (; tile < end; tile++) SCORE_BLOCK(ROWS, 1, 0); \
        break; \
      case INGOT_KV_F16: \
        for (; tile + HALF_AT_ONCE <= end; tile += HALF_AT_ONCE) SCORE_BLOCK(ROWS, HALF_AT_ONCE, 1); \
        for (; tile < end; tile++) SCORE_BLOCK(ROWS, 1, 1); \
        break; \
      case INGOT_KV_I8: \
        for (; tile + BYTES_AT_ONCE <= end; tile += BYTES_AT_ONCE) SCORE_BYTES(ROWS, BYTES_AT_ONCE); \
        for (; tile < end; tile++) SCORE_BYTES(ROWS, 1); \
        break; \
    } \
  } \
  static void value_##ROWS(const value_arguments *a, int64_t first, int64_t end) { \
    int64_t panel = 0, panels = a->panel_stride == 16 ? a->head_dim / 16 : a->width / 16; \
    switch (a->type) { \
      case INGOT_KV_F32: \
        for (; panel + AT_ONCE <= panels; panel += AT_ONCE) VALUE_BLOCK(ROWS, AT_ONCE, 0); \
        for (; panel < panels; panel++) VALUE_BLOCK(ROWS, 1, 0); \
        break; \
      case INGOT_KV_F16: \
        for (; panel + HALF_AT_ONCE <= panels; panel += HALF_AT_ONCE) VALUE_BLOCK(ROWS, HALF_AT_ONCE, 1); \
        for (; panel < panels; panel++) VALUE_BLOCK(ROWS, 1, 1); \
        break; \
      case INGOT_KV_I8: \
        panels = a->width / 16; \
        for (; panel + BYTES_AT_ONCE <= panels; panel += BYTES_AT_ONCE) VALUE_BYTES(ROWS, BYTES_AT_ONCE); \
        for (; panel < panels; panel++) VALUE_BYTES(ROWS, 1); \
        break; \
    } \
    if (panels * 16 < a->head_dim) value_tail(a, ROWS, first, end); \
  }

#if LANES_PANELS == 2
BLOCK_FUNCTIONS(1, 4, 4, 4) BLOCK_FUNCTIONS(2, 4, 4, 4) BLOCK_FUNCTIONS(3, 4, 4, 4)
BLOCK_FUNCTIONS(4, 4, 4, 4) BLOCK_FUNCTIONS(5, 4, 4, 4) BLOCK_FUNCTIONS(6, 4, 4, 4)
#else
BLOCK_FUNCTIONS(1, 4, 4, 2) BLOCK_FUNCTIONS(2, 2, 2, 2) BLOCK_FUNCTIONS(3, 2, 1, 1)
BLOCK_FUNCTIONS(4, 1, 1, 1) BLOCK_FUNCTIONS(5, 1, 1, 1) BLOCK_FUNCTIONS(6, 1, 1, 1)
#endif

typedef void score_function(const score_arguments *, int64_t, int64_t);
typedef void value_function(const value_arguments *, int64_t, int64_t);
static score_function *const score_functions[7] = {
  NULL, score_1, score_2, score_3, score_4, score_5, score_6,
};
static value_function *const value_functions[7] = {
  NULL, value_1, value_2, value_3, value_4, value_5, value_6,
};

/// Adds the values of tokens [first, end). Of bytes, whole fours in registers and the rest one by one.
INLINE void add_tokens(const value_arguments *a, int64_t rows, int64_t first, int64_t end) {
  if (a->type != INGOT_KV_I8) value_functions[rows](a, first, end);
  else
    for (int64_t stop; first < end; first = stop) {
      int whole = first % 4 == 0 && first + 4 <= end;
      stop = whole ? end / 4 * 4 : first / 4 * 4 + 4 < end ? first / 4 * 4 + 4 : end;
      if (whole) value_functions[rows](a, first, stop);
      else value_bytes_edge(a, (int)rows, first, stop);
    }
}
