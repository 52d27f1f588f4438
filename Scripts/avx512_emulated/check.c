/// Random products with the emulated AVX-512 kernels and with AVX2, bit for bit against the portable ones.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingot_matmul.h"

static uint64_t state = 88172645463325252u;
static uint32_t below(uint32_t limit) {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return (uint32_t)(state >> 20) % limit;
}
static float uniform(void) { return (float)below(1 << 24) / (1 << 23) - 1; }
static uint16_t half(float x) {
  _Float16 h = (_Float16)x;
  uint16_t bits;
  memcpy(&bits, &h, sizeof bits);
  return bits;
}
static void *make(size_t bytes) { return aligned_alloc(64, (bytes + 127) / 64 * 64); }

static void fill_tile(ingot_format format, int k, int group, int rows, void *tile) {
  int groups = group ? (k + group - 1) / group : 0, count = rows * k;
  float *floats = make(4 * (size_t)count);
  uint16_t *halves = make(2 * (size_t)count), *scales = make(2 * (size_t)(rows * groups));
  uint16_t *minimums = make(2 * (size_t)(rows * groups));
  int8_t *q = make((size_t)count);
  for (int i = 0; i < count; i++) {
    floats[i] = uniform();
    halves[i] = format == INGOT_F16 ? half(floats[i]) : (uint16_t)(0x3f00 + below(256));
    q[i] = (int8_t)(format >= INGOT_I4 ? (int)below(16) : below(8) ? (int)below(256) - 128 : -128);
  }
  for (int i = 0; i < rows * groups; i++) scales[i] = half(uniform() / 8), minimums[i] = half(uniform());
  if (format == INGOT_F32) ingot_pack_float_tile(format, k, floats, k, rows, tile);
  else if (format <= INGOT_BF16) ingot_pack_float_tile(format, k, halves, k, rows, tile);
  else ingot_pack_integer_tile(
      format, k, group, q, scales, format == INGOT_I8M || format == INGOT_I4M ? minimums : NULL, rows, tile);
  free(floats), free(halves), free(scales), free(minimums), free(q);
}

static int check_one(ingot_pool *pool) {
  ingot_format format = (ingot_format)below(7);
  int group = format < INGOT_I8 ? 0 : 32 << below(3);
  int n = 1 + (int)below(150), k = 1 + (int)below(below(4) ? 300 : 1400), m = 1 + (int)below(below(4) ? 12 : 130);
  size_t bytes = ingot_weight_bytes(format, n, k, group), count = (size_t)m * (size_t)n;
  uint8_t *weights = make(bytes);
  for (int tile = 0; tile * 16 < n; tile++)
    fill_tile(
        format, k, group, n - tile * 16 < 16 ? n - tile * 16 : 16, weights + tile * ingot_tile_bytes(format, k, group));
  float *x = make(4 * (size_t)(m * k)), *expected = make(4 * count), *y = make(4 * count);
  for (int i = 0; i < m * k; i++) x[i] = uniform();
  if (below(8) == 0) x[below((uint32_t)(m * k))] = below(2) ? NAN : INFINITY;
  size_t scratch_bytes = ingot_matmul_scratch_bytes(format, m, k, group, 3);
  void *scratch = make(scratch_bytes);
  ingot_weight weight = {format, group, n, k, weights};
  ingot_matmul_arguments arguments = {.weight = &weight, .m = m, .x = x, .x_stride = k, .y = expected, .y_stride = n};
  ingot_context context = {NULL, 1, INGOT_ISA_PORTABLE, scratch, scratch_bytes};
  ingot_matmul(&context, &arguments);
  int failures = 0;
  for (int isa = INGOT_ISA_AVX2; isa <= INGOT_ISA_AVX512_VNNI; isa++) {
    arguments.y = y;
    context = (ingot_context){pool, 3, (ingot_isa)isa, scratch, scratch_bytes};
    ingot_matmul(&context, &arguments);
    for (size_t i = 0; i < count; i++)
      if (memcmp(&y[i], &expected[i], 4) != 0 && !(isnan(y[i]) && isnan(expected[i]))) {
        printf("%s format %d group %d n %d k %d m %d: [%zu] is %a, not %a\n", ingot_isa_name((ingot_isa)isa), format,
               group, n, k, m, i, y[i], expected[i]);
        failures++;
        break;
      }
  }
  free(weights), free(x), free(expected), free(y), free(scratch);
  return failures;
}

int main(int count, char **values) {
  int rounds = count > 1 ? atoi(values[1]) : 2000, failures = 0;
  ingot_pool *pool = ingot_pool_create(3, 0);
  for (int i = 0; i < rounds; i++) failures += check_one(pool);
  ingot_pool_destroy(pool);
  printf("%d products, %d differ\n", rounds, failures);
  return failures != 0;
}
