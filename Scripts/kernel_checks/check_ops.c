/// Norms, elementwise functions, gates, softmax, reductions and the general product.
#include "check.h"

typedef struct operation {
  int op, width, rows, stride;
  const float *x, *up;
  ingot_norm_arguments norm;
  bool layer;
  ingot_gemm_arguments gemm;
} operation;

/// Values of every magnitude, now and then something special.
static float *some_values(size_t count, bool special) {
  float *x = check_floats(count);
  for (size_t i = 0; i < count; i++) {
    uint32_t kind = check_below(64);
    if (kind < 32) x[i] *= 8;
    else if (kind < 36) x[i] = ldexpf(x[i], (int)check_below(200) - 100);
    else if (kind == 36) x[i] = check_below(2) ? 0.0f : -0.0f;
    else if (kind == 37 && special) x[i] = check_below(3) ? (check_below(2) ? INFINITY : -INFINITY) : NAN;
    else if (kind == 38) x[i] = ldexpf(x[i], -130);   // subnormal
  }
  return x;
}

static void run_norm(const ingot_context *context, const void *argument, void *target) {
  const operation *o = argument;
  ingot_norm_arguments a = o->norm;
  a.y = target;
  if (a.addend != NULL) a.added = (float *)target + o->rows * o->stride, a.added_stride = o->stride;
  if (o->layer) ingot_layer_norm(context, &a);
  else ingot_rms_norm(context, &a);
}

static void check_norms(void) {
  static const int widths[] = {1, 15, 16, 63, 64, 100, 576, 1031};
  for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
    for (int form = 0; form < 8; form++) {
      int width = widths[w], rows = 9, stride = width + 3;
      check_seed((uint64_t)(width + 10000 * form));
      float *x = some_values((size_t)(rows * stride), form == 7), *addend = check_floats((size_t)(rows * stride));
      float *weight = check_floats((size_t)width), *bias = check_floats((size_t)width);
      operation o = {.rows = rows, .stride = stride, .layer = form & 1};
      o.norm = (ingot_norm_arguments){
          .rows = rows, .width = width, .x = x, .x_stride = stride, .addend = form & 2 ? addend : NULL,
          .addend_stride = stride, .weight = form & 4 ? weight : NULL, .bias = form & 1 ? bias : NULL,
          .epsilon = 1e-5f, .weight_offset = form & 4 ? 1 : 0, .y_stride = stride};
      char name[64];
      snprintf(name, sizeof name, "norm width %d form %d", width, form);
      check_case(name, CHECK_F32, (size_t)((form & 2 ? 2 : 1) * rows * stride) * sizeof *x, 0, run_norm, &o);
      free(x), free(addend), free(weight), free(bias);
    }
}

static void run_unary(const ingot_context *context, const void *argument, void *target) {
  const operation *o = argument;
  ingot_unary_op(context, (ingot_unary)o->op, o->x, target, o->width);
}
static void run_gated(const ingot_context *context, const void *argument, void *target) {
  const operation *o = argument;
  ingot_gated(
      context, (ingot_unary)o->op, o->rows, o->width, o->x, o->stride, o->up, o->stride, target, o->stride);
}
static void run_binary(const ingot_context *context, const void *argument, void *target) {
  const operation *o = argument;
  int64_t dims[2] = {o->rows, o->width}, dense[2] = {o->width, 1}, row[2] = {0, 1}, column[2] = {1, 0};
  const int64_t *strides[3] = {dense, row, column};
  ingot_binary_op(context, (ingot_binary)o->op, 2, dims, o->x, dense, o->up, strides[o->stride], target);
}
static void run_softmax(const ingot_context *context, const void *argument, void *target) {
  const operation *o = argument;
  ingot_softmax(context, o->rows, o->width, o->x, target);
}
static void run_reduce(const ingot_context *context, const void *argument, void *target) {
  const operation *o = argument;   // [rows, width, stride]
  ingot_reduce(context, (ingot_reduction)o->op, o->rows, o->width, o->stride, o->x, target);
}

static void check_elementwise(void) {
  enum { COUNT = 20011 };
  int count = check_reduced ? 2011 : COUNT, width = check_reduced ? 210 : 2101, rows = 9;
  check_seed(3);
  float *x = some_values(COUNT, true), *up = some_values(COUNT, true);
  char name[64];
  for (int op = INGOT_NEG; op <= INGOT_RECIPROCAL; op++) {
    if (op == INGOT_LOG || op == INGOT_COS || op == INGOT_SIN) continue;   // the C library's
    operation o = {.op = op, .width = count, .x = x};
    snprintf(name, sizeof name, "unary %d", op);
    check_case(name, CHECK_F32, (size_t)count * 4, 0, run_unary, &o);
    o = (operation){.op = op, .rows = rows, .width = width, .stride = width + 1, .x = x, .up = up};
    snprintf(name, sizeof name, "gated %d", op);
    check_case(name, CHECK_F32, (size_t)(rows * (width + 1) - 1) * 4, 0, run_gated, &o);
  }
  for (int op = INGOT_ADD; op <= INGOT_OR; op++)
    for (int strides = 0; op != INGOT_POW && strides < 3; strides++) {
      operation o = {.op = op, .rows = rows, .width = width, .stride = strides, .x = x, .up = up};
      snprintf(name, sizeof name, "binary %d strides %d", op, strides);
      check_case(name, CHECK_F32, (size_t)(rows * width) * 4, 0, run_binary, &o);
    }
  free(x), free(up);
}

static void check_rows(void) {
  static const int widths[] = {1, 7, 16, 33, 200, 1500};
  char name[64];
  for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
    int width = widths[w];
    for (int special = 0; special < 2; special++) {
      check_seed((uint64_t)(width + special));
      float *x = some_values((size_t)(13 * 37 * width), special);
      operation o = {.rows = 13, .width = width, .x = x};
      snprintf(name, sizeof name, "softmax width %d special %d", width, special);
      check_case(name, CHECK_F32, (size_t)(13 * width) * 4, 0, run_softmax, &o);
      for (int op = INGOT_SUM; op <= INGOT_STD; op++)
        for (int inner = 1; inner <= (check_reduced ? 1 : 37); inner += 18) {
          o = (operation){.op = op, .rows = 13, .width = width, .stride = inner, .x = x};
          snprintf(name, sizeof name, "reduction %d of [13, %d, %d]", op, width, inner);
          check_case(name, CHECK_F32, (size_t)(13 * inner) * 4, 0, run_reduce, &o);
        }
      free(x);
    }
  }
}

static void run_gemm(const ingot_context *context, const void *argument, void *target) {
  ingot_gemm_arguments a = ((const operation *)argument)->gemm;
  a.y = target;
  ingot_gemm(context, &a);
}

static void check_gemm(void) {
  static const int shapes[][3] = {{1, 1, 0}, {1, 17, 5}, {6, 16, 32}, {7, 33, 19}, {13, 50, 270}, {130, 70, 33}};
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (int form = 0; form < 4; form++) {
      int m = shapes[s][0], n = shapes[s][1], k = shapes[s][2], y_row = n + 2;
      check_seed(s);
      float *a = check_floats((size_t)(2 * m * k + 1)), *b = check_floats((size_t)(2 * n * k + 1));
      bool ta = form & 1, tb = form & 2;
      operation o = {.gemm = {
          2, m, n, k, a, m * k, ta ? 1 : k, ta ? m : 1, b, n * k, tb ? 1 : n, tb ? k : 1, NULL, m * y_row, y_row}};
      char name[64];
      snprintf(name, sizeof name, "gemm m %d n %d k %d form %d", m, n, k, form);
      check_case(name, CHECK_F32, (size_t)(2 * m * y_row - 2) * 4, ingot_gemm_scratch_bytes(m, n, k, 3), run_gemm, &o);
      free(a), free(b);
    }
}

void check_ops(void) {
  check_norms();
  check_elementwise();
  check_rows();
  check_gemm();
}
