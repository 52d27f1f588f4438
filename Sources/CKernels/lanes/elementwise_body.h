/// Elementwise functions, gates, broadcasting pairs and softmax of a row.

INLINE v16 unary16(ingot_unary op, v16 x) {
  switch (op) {
  case INGOT_NEG: return -x;
  case INGOT_ABS: return abs16(x);
  case INGOT_EXP: return exp16(x);
  case INGOT_SQRT: return sqrt16(x);
  case INGOT_RSQRT: return 1.0f / sqrt16(x);
  case INGOT_TANH: return tanh16(x);
  case INGOT_SIGMOID: return sigmoid16(x);
  case INGOT_SILU: return silu16(x);
  case INGOT_RELU: return x < 0.0f ? splat(0) : x;   // NaN stays, as in torch
  case INGOT_GELU: return gelu16(x);
  case INGOT_GELU_TANH: return gelu_tanh16(x);
  case INGOT_QUICK_GELU: return x * sigmoid16(1.702f * x);
  case INGOT_RECIPROCAL: return 1.0f / x;
  // The caller takes these from the C library, which is the same for all instruction sets.
  case INGOT_LOG: case INGOT_COS: case INGOT_SIN: break;
  }
  return x;
}

INLINE void unary_loop(ingot_unary op, const float *x, float *y, int64_t n) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) store16(y + i, unary16(op, load16(x + i)));
  if (i < n) store_part(y + i, unary16(op, load_part(x + i, n - i, 1)), n - i);
}

#define EACH_UNARY(X) \
  X(INGOT_NEG) X(INGOT_ABS) X(INGOT_EXP) X(INGOT_SQRT) X(INGOT_RSQRT) X(INGOT_TANH) X(INGOT_SIGMOID) \
  X(INGOT_SILU) X(INGOT_RELU) X(INGOT_GELU) X(INGOT_GELU_TANH) X(INGOT_QUICK_GELU) X(INGOT_RECIPROCAL)

static void unary(ingot_unary op, const float *x, float *y, int64_t n) {
  switch (op) {
#define X(OP) case OP: unary_loop(OP, x, y, n); break;
    EACH_UNARY(X)
#undef X
  case INGOT_LOG: case INGOT_COS: case INGOT_SIN: break;
  }
}

INLINE void gated_loop(ingot_unary op, const float *gate, const float *up, float *y, int64_t n) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) store16(y + i, unary16(op, load16(gate + i)) * load16(up + i));
  if (i < n) store_part(y + i, unary16(op, load_part(gate + i, n - i, 1)) * load_part(up + i, n - i, 1), n - i);
}

static void gated(ingot_unary op, const float *gate, const float *up, float *y, int64_t n) {
  switch (op) {
#define X(OP) case OP: gated_loop(OP, gate, up, y, n); break;
    EACH_UNARY(X)
#undef X
  case INGOT_LOG: case INGOT_COS: case INGOT_SIN: break;
  }
}

INLINE v16 truth(i16 mask) { return select16(mask, splat(1), splat(0)); }

INLINE v16 binary16(ingot_binary op, v16 a, v16 b) {
  switch (op) {
  case INGOT_ADD: return a + b;
  case INGOT_SUB: return a - b;
  case INGOT_MUL: return a * b;
  case INGOT_DIV: return a / b;
  case INGOT_MAX: return select16(a != a, a, max16(a, b));   // NaN of either side stays, as in torch
  case INGOT_MIN: return select16(a != a, a, min16(a, b));
  case INGOT_EQ: return truth(a == b);
  case INGOT_NE: return truth(a != b);
  case INGOT_LT: return truth(a < b);
  case INGOT_LE: return truth(a <= b);
  case INGOT_GT: return truth(a > b);
  case INGOT_GE: return truth(a >= b);
  case INGOT_AND: return truth((a != 0.0f) & (b != 0.0f));
  case INGOT_OR: return truth((a != 0.0f) | (b != 0.0f));
  case INGOT_POW: break;   // the caller's, by the C library
  }
  return a;
}

/// Up to 16 elements `stride` apart; lanes beyond `n` are 1.
INLINE v16 gather(const float *p, int64_t stride, int64_t n) {
  if (stride == 0) return splat(*p);
  if (stride == 1) return load_upto(p, n, 1);
  float lanes[16];
  for (int64_t i = 0; i < 16; i++) lanes[i] = i < n ? p[i * stride] : 1;
  return load16(lanes);
}

INLINE void binary_loop(
    ingot_binary op, const float *a, int64_t a_stride, const float *b, int64_t b_stride, float *y, int64_t n) {
  int64_t i = 0;
  if (a_stride == 1 && b_stride == 1)
    for (; i + 16 <= n; i += 16) store16(y + i, binary16(op, load16(a + i), load16(b + i)));
  for (; i < n; i += 16)
    store_upto(
        y + i, binary16(op, gather(a + i * a_stride, a_stride, n - i), gather(b + i * b_stride, b_stride, n - i)),
        n - i);
}

static void binary(
    ingot_binary op, const float *a, int64_t a_stride, const float *b, int64_t b_stride, float *y, int64_t n) {
  switch (op) {
#define X(OP) case OP: binary_loop(OP, a, a_stride, b, b_stride, y, n); break;
    X(INGOT_ADD) X(INGOT_SUB) X(INGOT_MUL) X(INGOT_DIV) X(INGOT_MAX) X(INGOT_MIN) X(INGOT_EQ) X(INGOT_NE)
    X(INGOT_LT) X(INGOT_LE) X(INGOT_GT) X(INGOT_GE) X(INGOT_AND) X(INGOT_OR)
#undef X
  case INGOT_POW: break;
  }
}

static void softmax(const float *x, float *y, int64_t n) {
  v16 m = splat(-INFINITY), s = splat(0);
  int64_t i;
  for (i = 0; i < n; i += 16) m = max16(m, load_upto(x + i, n - i, -INFINITY));
  float maximum = max_lanes(m);
  for (i = 0; i < n; i += 16) {
    v16 e = exp_negative16(load_upto(x + i, n - i, -INFINITY) - maximum);
    store_upto(y + i, e, n - i);
    s += e;
  }
  float sum = sum_lanes(s);
  for (i = 0; i < n; i += 16) store_upto(y + i, load_upto(y + i, n - i, 0) / sum, n - i);
}

static void widen_f16(const uint16_t *x, float *y, int64_t n) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) store16(y + i, load_half(x + i));
  if (i < n) store_part(y + i, load_half_part(x + i, n - i), n - i);
}
