/// One output tile of the general product: operands are packed so that the register block reads them in order.

/// to[k * to_stride + lane] = from[lane * stride + k] for 8 k. Whole vectors are stored in the order of k, so with
/// fewer lanes than 8 each store is completed by the next, and the last one runs over by what is missing.
INLINE void transpose_lanes(const float *from, int64_t stride, int lanes, float *to, int64_t to_stride) {
  v8 x[8] = {0};
  for (int i = 0; i < lanes; i++) memcpy(&x[i], from + i * stride, sizeof x[i]);
  transpose8(x);
  for (int k = 0; k < 8; k++) memcpy(to + k * to_stride, &x[k], sizeof x[k]);
}

/// a[rows, depth] in panels of 6 rows, [depth][6]; missing rows are zero.
INLINE void pack_rows(const float *a, int64_t row, int64_t column, int64_t rows, int64_t depth, float *panel) {
  for (int64_t i = 0; i < rows; i += 6, panel += 6 * depth) {
    int64_t n = rows - i < 6 ? rows - i : 6, k = 0;
    const float *from = a + i * row;
    if (n < 6) memset(panel, 0, (size_t)(6 * depth) * sizeof *panel);
    else if (column == 1)
      for (; k + 8 < depth; k += 8) transpose_lanes(from + k, row, 6, panel + 6 * k, 6);   // overrun: within depth
    for (; k < depth; k++)
      for (int64_t r = 0; r < n; r++) panel[6 * k + r] = from[r * row + k * column];
  }
}

/// b[depth, columns] in panels of 16 columns, [depth][16]; missing columns are zero.
INLINE void pack_columns(
    const float *b, int64_t row, int64_t column, int64_t depth, int64_t columns, float *panel) {
  if (column == 1) {
    // Few rows at a time: their cache lines and pages are used up before the next, and the stores to panels,
    // which are powers of two apart, do not evict each other.
    for (int64_t k = 0; k < depth; k += 8)
      for (int64_t j = 0; j < columns; j += 16)
        for (int64_t i = k; i < k + 8 && i < depth; i++)
          store16(panel + (j * depth + 16 * i), load_upto(b + i * row + j, columns - j, 0));
    return;
  }
  for (int64_t j = 0; j < columns; j += 16, panel += 16 * depth) {
    int64_t n = columns - j < 16 ? columns - j : 16, k = 0;
    const float *from = b + j * column;
    if (row == 1 && n == 16)
      for (; k + 8 <= depth; k += 8) {
        transpose_lanes(from + k, column, 8, panel + 16 * k, 16);
        transpose_lanes(from + 8 * column + k, column, 8, panel + 16 * k + 8, 16);
      }
    for (; k < depth; k++)
      for (int64_t lane = 0; lane < 16; lane++) panel[16 * k + lane] = lane < n ? from[k * row + lane * column] : 0;
  }
}

/// ROWS × 16 · PANELS outputs: y (zero when `fresh`) plus the products in the order of k.
#define GEMM_BLOCK(ROWS, PANELS) \
  v16 s[ROWS][PANELS]; \
  _Pragma("clang loop unroll(full)") for (int r = 0; r < ROWS; r++) \
    _Pragma("clang loop unroll(full)") for (int j = 0; j < PANELS; j++) \
      s[r][j] = fresh ? splat(0) : load_upto(y + r * y_row + 16 * j, columns - 16 * j, 0); \
  for (int64_t k = 0; k < depth; k++) { \
    v16 w[PANELS]; \
    _Pragma("clang loop unroll(full)") for (int j = 0; j < PANELS; j++) w[j] = load16(b + (j * depth + k) * 16); \
    _Pragma("clang loop unroll(full)") for (int r = 0; r < ROWS; r++) { \
      v16 x = splat(a[6 * k + r]); \
      _Pragma("clang loop unroll(full)") for (int j = 0; j < PANELS; j++) s[r][j] = fma16(x, w[j], s[r][j]); \
    } \
  } \
  _Pragma("clang loop unroll(full)") for (int r = 0; r < ROWS; r++) \
    _Pragma("clang loop unroll(full)") for (int j = 0; j < PANELS; j++) \
      store_upto(y + r * y_row + 16 * j, s[r][j], columns - 16 * j);

#define GEMM_FUNCTION(ROWS, PANELS) \
  static void gemm_##ROWS##_##PANELS( \
      const float *a, const float *b, int64_t depth, float *y, int64_t y_row, int64_t columns, int fresh) { \
    GEMM_BLOCK(ROWS, PANELS) \
  }
GEMM_FUNCTION(1, 1) GEMM_FUNCTION(2, 1) GEMM_FUNCTION(3, 1) GEMM_FUNCTION(4, 1) GEMM_FUNCTION(5, 1)
GEMM_FUNCTION(6, 1)
#if LANES_PANELS == 2
GEMM_FUNCTION(1, 2) GEMM_FUNCTION(2, 2) GEMM_FUNCTION(3, 2) GEMM_FUNCTION(4, 2) GEMM_FUNCTION(5, 2)
GEMM_FUNCTION(6, 2)
#endif

typedef void gemm_function(const float *, const float *, int64_t, float *, int64_t, int64_t, int);

static void gemm_output_tile(const ingot_gemm_arguments *g, const gemm_tile *tile, float *scratch) {
  static gemm_function *const one[7] = {NULL, gemm_1_1, gemm_2_1, gemm_3_1, gemm_4_1, gemm_5_1, gemm_6_1};
#if LANES_PANELS == 2
  static gemm_function *const two[7] = {NULL, gemm_1_2, gemm_2_2, gemm_3_2, gemm_4_2, gemm_5_2, gemm_6_2};
#else
  gemm_function *const *two = one;
#endif
  const float *a = g->a + tile->batch * g->a_batch + tile->row * g->a_row;
  const float *b = g->b + tile->batch * g->b_batch + tile->column * g->b_column;
  float *y = g->y + tile->batch * g->y_batch + tile->row * g->y_row + tile->column;
  float *b_panels = scratch + GEMM_M * GEMM_K;
  // k = 0 still runs once: the outputs are zero.
  for (int64_t k = 0; k == 0 || k < g->k; k += GEMM_K) {
    int64_t depth = g->k - k < GEMM_K ? g->k - k : GEMM_K;
    pack_rows(a + k * g->a_column, g->a_row, g->a_column, tile->rows, depth, scratch);
    pack_columns(b + k * g->b_row, g->b_row, g->b_column, depth, tile->columns, b_panels);
    for (int64_t j = 0, width; j < tile->columns; j += width) {
      int64_t left = tile->columns - j;
      int wide = LANES_PANELS == 2 && left > 16;
      width = wide ? 32 : 16;
      for (int64_t i = 0; i < tile->rows; i += 6)
        (wide ? two : one)[tile->rows - i < 6 ? tile->rows - i : 6](
            scratch + i * depth, b_panels + j * depth, depth, y + i * g->y_row + j, g->y_row, left, k == 0);
    }
  }
}
