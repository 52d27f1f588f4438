/// The two products of attention on register blocks of up to six query rows.
///
/// scores[r][t] = Σ q[r][d] k[d][t], d ascending: 16 tokens are the lanes.
/// output[r][d] += Σ p[r][t] v[t][d], t ascending: 16 dims are the lanes.

typedef struct score_arguments {
  const void *keys;        ///< tiles [head_dim][16], f32 or f16
  const float *queries;    ///< [head_dim][rows]
  float *scores;           ///< [rows][INGOT_PAGE]
  int64_t head_dim;
  int half;                ///< keys are f16
  const void *next;        ///< as many elements that will be needed next: the page's values
} score_arguments;

typedef struct value_arguments {
  const void *values;      ///< f32 or f16
  int64_t token_stride;    ///< elements from token to token
  int64_t panel_stride;    ///< and from 16 dims to the next 16
  const float *probabilities;   ///< [rows][INGOT_PAGE]
  float *output;           ///< [rows][width]
  int64_t width;           ///< head_dim rounded up to 16
  int64_t head_dim;
  int half;
  const void *next;        ///< as many elements that will be needed next: the keys of the next page
} value_arguments;

INLINE v16 load_element(int half, const void *p, int64_t at) {
  return half ? load_half((const uint16_t *)p + at) : load16((const float *)p + at);
}
INLINE v16 load_element_part(int half, const void *p, int64_t at, int64_t n) {
  return half ? load_half_part((const uint16_t *)p + at, n) : load_part((const float *)p + at, n, 0);
}

#define UNROLL _Pragma("clang loop unroll(full)")

INLINE reg load_register(int half, const void *p, int64_t at) {
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
#define FETCH_NEXT(ROWS, COUNT, HALF, AT) \
  if (ROWS < 6) \
    UNROLL for (int j = 0; j < COUNT; j++) \
      __builtin_prefetch((const char *)a->next + (AT) * (HALF ? 2 : 4), 0, 2);

/// Scores of ROWS queries and TILES tiles of 16 tokens.
#define SCORE_BLOCK(ROWS, TILES, HALF) do { \
    int64_t stride = 16 * a->head_dim; \
    reg s[ROWS][TILES * PARTS]; \
    UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int j = 0; j < TILES * PARTS; j++) s[r][j] = (reg)0.0f; \
    for (int64_t d = 0; d < a->head_dim; d++) { \
      FETCH_NEXT(ROWS, TILES, HALF, (tile + j) * stride + 16 * d) \
      MULTIPLY_ADD( \
          ROWS, TILES * PARTS, a->queries[d * ROWS + r], \
          load_register(HALF, a->keys, tile * stride + 16 * d + PART_AT(j, stride))); \
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
      FETCH_NEXT(ROWS, PANELS, HALF, (panel + j) * 16 * INGOT_PAGE + 16 * t) \
      MULTIPLY_ADD( \
          ROWS, PANELS * PARTS, a->probabilities[r * INGOT_PAGE + t], \
          load_register( \
              HALF, a->values, t * a->token_stride + panel * a->panel_stride + PART_AT(j, a->panel_stride))); \
    } \
    UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int j = 0; j < PANELS * PARTS; j++) \
      store_reg(out + r * a->width + PART_AT(j, 16), s[r][j]); \
  } while (0)

/// The last dims, fewer than 16, where values are read in place: a whole vector could leave the page.
static void value_tail(const value_arguments *a, int rows, int64_t first, int64_t end) {
  int64_t panel = a->head_dim / 16, n = a->head_dim % 16;
  for (int r = 0; r < rows; r++) {
    float *out = a->output + r * a->width + 16 * panel;
    v16 o = load16(out);
    for (int64_t t = first; t < end; t++) {
      v16 v = load_element_part(a->half, a->values, t * a->token_stride + panel * a->panel_stride, n);
      o = fma16(splat(a->probabilities[r * INGOT_PAGE + t]), v, o);
    }
    store16(out, o);
  }
}

/// Tiles (panels) [first, end) by as many at once as leave the accumulators in registers; HALF_AT_ONCE for f16,
/// whose conversions the compiler moves forward and spills for.
#define BLOCK_FUNCTIONS(ROWS, AT_ONCE, HALF_AT_ONCE) \
  static void score_##ROWS(const score_arguments *a, int64_t tile, int64_t end) { \
    if (a->half) { \
      for (; tile + HALF_AT_ONCE <= end; tile += HALF_AT_ONCE) SCORE_BLOCK(ROWS, HALF_AT_ONCE, 1); \
      for (; tile < end; tile++) SCORE_BLOCK(ROWS, 1, 1); \
    } else { \
      for (; tile + AT_ONCE <= end; tile += AT_ONCE) SCORE_BLOCK(ROWS, AT_ONCE, 0); \
      for (; tile < end; tile++) SCORE_BLOCK(ROWS, 1, 0); \
    } \
  } \
  static void value_##ROWS(const value_arguments *a, int64_t first, int64_t end) { \
    int64_t panel = 0, panels = a->half || a->panel_stride == 16 ? a->head_dim / 16 : a->width / 16; \
    if (a->half) { \
      for (; panel + HALF_AT_ONCE <= panels; panel += HALF_AT_ONCE) VALUE_BLOCK(ROWS, HALF_AT_ONCE, 1); \
      for (; panel < panels; panel++) VALUE_BLOCK(ROWS, 1, 1); \
    } else { \
      for (; panel + AT_ONCE <= panels; panel += AT_ONCE) VALUE_BLOCK(ROWS, AT_ONCE, 0); \
      for (; panel < panels; panel++) VALUE_BLOCK(ROWS, 1, 0); \
    } \
    if (panels * 16 < a->head_dim) value_tail(a, ROWS, first, end); \
  }

#if LANES_PANELS == 2
BLOCK_FUNCTIONS(1, 4, 4) BLOCK_FUNCTIONS(2, 4, 4) BLOCK_FUNCTIONS(3, 4, 4)
BLOCK_FUNCTIONS(4, 4, 4) BLOCK_FUNCTIONS(5, 4, 4) BLOCK_FUNCTIONS(6, 4, 4)
#else
BLOCK_FUNCTIONS(1, 4, 4) BLOCK_FUNCTIONS(2, 2, 2) BLOCK_FUNCTIONS(3, 2, 1)
BLOCK_FUNCTIONS(4, 1, 1) BLOCK_FUNCTIONS(5, 1, 1) BLOCK_FUNCTIONS(6, 1, 1)
#endif

typedef void score_function(const score_arguments *, int64_t, int64_t);
typedef void value_function(const value_arguments *, int64_t, int64_t);
static score_function *const score_functions[7] = {
  NULL, score_1, score_2, score_3, score_4, score_5, score_6,
};
static value_function *const value_functions[7] = {
  NULL, value_1, value_2, value_3, value_4, value_5, value_6,
};
