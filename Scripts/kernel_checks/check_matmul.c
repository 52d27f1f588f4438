/// Matrix products: every format and group, few and many rows, extents that are no multiples of anything.
#include "check.h"
#include "matmul_internal.h"

/// How activations and weights are drawn.
typedef enum values { ORDINARY, LARGEST, SPECIAL, VALUES } values;

typedef struct product {
  ingot_matmul_arguments arguments;
  const float *y_before;   ///< the residual where it is y itself
  size_t bytes;
} product;

static int q_value(ingot_format format, values values) {
  bool int4 = format_is_int4(format);
  if (values == LARGEST) return int4 ? (check_below(16) ? 15 : 0) : check_below(16) ? -128 : 127;
  return int4 ? (int)check_below(16) : (int)check_below(256) - 128;
}

static uint16_t half_value(values values) {
  uint32_t kind = values == SPECIAL ? check_below(40) : 40;
  if (kind < 4) return (uint16_t)(check_below(2) << 15 | check_below(1024));   // zero or subnormal
  if (kind == 4) return check_below(8) ? 0x7BFF : check_below(2) ? 0x7C00 : 0x7D00;
  return check_half(check_uniform() / 8);
}

static void fill_tile(ingot_format format, values values, int64_t k, int32_t group, int rows, void *tile) {
  size_t count = (size_t)rows * (size_t)k;
  size_t groups = group ? (size_t)rows * (size_t)((k + group - 1) / group) : 0;
  float *floats = check_floats(count);
  uint16_t *halves = check_bytes(2 * count), *scales = check_bytes(2 * groups), *minimums = check_bytes(2 * groups);
  int8_t *q = check_bytes(count);
  for (size_t i = 0; i < count; i++) {
    if (values == SPECIAL && check_below(64) == 0) floats[i] = bits_float(check_below(1 << 23));   // subnormal
    halves[i] = format == INGOT_F16 ? half_value(values) : (uint16_t)(float_bits(floats[i]) >> 16);
    q[i] = (int8_t)q_value(format, values);
  }
  for (size_t i = 0; i < groups; i++) scales[i] = half_value(values), minimums[i] = half_value(values);
  if (format == INGOT_F32) ingot_pack_float_tile(format, k, floats, k, rows, tile);
  else if (format_is_float(format)) ingot_pack_float_tile(format, k, halves, k, rows, tile);
  else ingot_pack_integer_tile(format, k, group, q, scales, format_has_minimum(format) ? minimums : NULL, rows, tile);
  free(floats), free(halves), free(scales), free(minimums), free(q);
}

static void fill_row(values values, float *x, int64_t k) {
  float size = values == ORDINARY ? 1 : ldexpf(1, (int)check_below(240) - 120);
  for (int64_t i = 0; i < k; i++) x[i] = values == LARGEST ? (check_below(8) ? -1.0f : 1.0f) : check_uniform() * size;
  if (values == SPECIAL && check_below(3) == 0) x[check_below((uint32_t)k)] = check_below(2) ? NAN : -INFINITY;
  if (values == SPECIAL && check_below(4) == 0) memset(x, 0, (size_t)k * sizeof *x);
}

static void run_product(const ingot_context *context, const void *argument, void *target) {
  const product *p = argument;
  ingot_matmul_arguments a = p->arguments;
  a.y = target;
  if (p->y_before != NULL) {
    memcpy(target, p->y_before, p->bytes);
    a.residual = target, a.residual_stride = a.y_stride;
  }
  ingot_matmul(context, &a);
}

static void check_product(
    ingot_format format, int32_t group, int64_t n, int64_t k, int64_t m, values values, int additions) {
  char name[128];
  snprintf(
      name, sizeof name, "matmul format %d group %d n %d k %d m %d values %d additions %d", format, group, (int)n,
      (int)k, (int)m, values, additions);
  check_seed((uint64_t)(format + 10 * group + 10000 * (n + 1000 * k)) + (uint64_t)values);
  ingot_weight weight = {format, group, n, k, NULL};
  size_t tile_bytes = ingot_tile_bytes(format, k, group);
  uint8_t *data = check_bytes(ingot_weight_bytes(format, n, k, group));
  for (int64_t row = 0; row < n; row += INGOT_TILE)
    fill_tile(
        format, values, k, group, n - row < INGOT_TILE ? (int)(n - row) : INGOT_TILE,
        data + (size_t)(row / INGOT_TILE) * tile_bytes);
  weight.data = data;
  int64_t x_stride = k + 3, y_stride = n + 5;
  float *x = check_floats((size_t)(m * x_stride)), *bias = check_floats((size_t)n);
  for (int64_t r = 0; r < m; r++) fill_row(values, x + r * x_stride, k);
  float *residual = check_floats((size_t)(m * y_stride));
  product p = {.bytes = (size_t)((m - 1) * y_stride + n) * sizeof(float)};
  p.arguments = (ingot_matmul_arguments){
      .weight = &weight, .m = m, .x = x, .x_stride = x_stride, .y_stride = y_stride,
      .bias = additions & 1 ? bias : NULL, .residual = additions == 2 ? residual : NULL, .residual_stride = y_stride};
  if (additions == 3) p.y_before = residual;
  check_case(name, CHECK_F32, p.bytes, ingot_matmul_scratch_bytes(format, m, k, group, 3), run_product, &p);
  free(data), free(x), free(bias), free(residual);
}

/// Rows as the kernels get them: through each quantiser.
static void run_quantize(const ingot_context *context, const void *argument, void *target) {
  int64_t k = *(const int64_t *)argument;
  int32_t group = *((const int64_t *)argument + 1) == 0 ? 32 : *((const int64_t *)argument + 1) == 1 ? 64 : 128;
  quantize_kernel quantize = ingot_quantize_row_portable;
#if defined(__x86_64__)
  if (context->isa != INGOT_ISA_PORTABLE) quantize = ingot_quantize_row_avx2;
#elif defined(__aarch64__)
  if (context->isa != INGOT_ISA_PORTABLE) quantize = ingot_quantize_row_neon;
#else
  (void)context;
#endif
  int64_t padded = round_up(k, group);
  float *x = check_bytes((size_t)k * sizeof *x);
  for (int seed = 0; seed < 24; seed++) {
    check_seed((uint64_t)seed);
    fill_row((values)(seed % VALUES), x, k);
    if (seed % 4 == 3)
      for (int64_t i = 0; i < k; i++) x[i] = (float)((int)check_below(255) - 127) / 2;   // ties
    int8_t *q = (int8_t *)target + (size_t)seed * activation_row_bytes(padded, group);
    quantize(x, k, group, q, (activation_group *)(q + padded));
  }
  free(x);
}

static void check_quantizers(void) {
  for (int64_t i = 0; i < 3; i++)
    for (int64_t k = 1; k < 400; k += 37) {
      int64_t argument[2] = {k, i};
      char name[64];
      snprintf(name, sizeof name, "quantised rows k %d group %d", (int)k, 32 << i);
      size_t bytes = 24 * activation_row_bytes(round_up(k, 32 << i), 32 << i);
      check_case(name, CHECK_BYTES, bytes, 0, run_quantize, argument);
    }
}

void check_matmul(void) {
  check_quantizers();
  static const int64_t shapes[][2] = {{1, 1}, {16, 32}, {17, 100}, {50, 257}, {33, 1100}, {79, 640}};
  static const int64_t row_counts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 47, 48, 49};
  for (int f = INGOT_F32; f <= INGOT_I4M; f++) {
    ingot_format format = (ingot_format)f;
    for (int32_t group = format_is_float(format) ? 0 : 32; group <= 128; group = group ? 2 * group : 256)
      for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t r = 0; r < sizeof row_counts / sizeof *row_counts; r++) {
          int64_t m = row_counts[r];
          bool wide = s > 3 && m > 9;
          if (check_reduced && (s == 5 || (wide && m != 49) || (format_is_float(format) && wide))) continue;
          values values = (int)(s + r) % VALUES;
          check_product(format, group, shapes[s][0], shapes[s][1], m, values, (int)(s + r / 3) % 4);
          if (!check_reduced) check_product(format, group, shapes[s][0], shapes[s][1], m, LARGEST, 0);
        }
  }
}
