/// Matrix products beside the limits of the machine they run on: GB/s of weights against a plain read loop for one
/// row, operations a second for many.
///
///   clang -O2 -D_GNU_SOURCE -ISources/CKernels/include Sources/CKernels/*.c Sources/CKernels/lanes/*.c \
///     Benchmarks/kernels/matmul.c -lpthread -lm -o /tmp/matmul && /tmp/matmul [format 0...6] [group] [rows]
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingot_matmul.h"
#include "timing.h"

enum { ARENA = 512 << 20, MAX_RUNS = 400 };

static const char *const names[] = {"f32", "f16", "bf16", "i8", "i8m", "i4", "i4m"};
static const int shapes[][2] = {{576, 576}, {1536, 576}, {576, 1536}, {1024, 3072}, {3072, 1024}, {49152, 576}};

/// Seconds of one product; the weights are the next of `copies` at each run.
static double product(
    const ingot_context *context, ingot_weight weight, size_t bytes, int copies, int runs, int64_t m, const float *x,
    float *y) {
  static double times[MAX_RUNS];
  const char *arena = weight.data;
  for (int i = 0; i < runs; i++) {
    weight.data = arena + (size_t)(i % copies) * bytes;
    ingot_matmul_arguments a = {.weight = &weight, .m = m, .x = x, .x_stride = weight.k, .y = y, .y_stride = weight.n};
    double start = now();
    ingot_matmul(context, &a);
    times[i] = now() - start;
  }
  return typical(times, runs);
}

static void measure(ingot_pool *pool, int format, int group, int64_t m, const int *shape, char *arena, double *limits) {
  int n = shape[0], k = shape[1];
  size_t bytes = ingot_weight_bytes((ingot_format)format, n, k, group);
  size_t scratch_bytes = ingot_matmul_scratch_bytes((ingot_format)format, m, k, group, 2) + 64;
  void *scratch = aligned_alloc(64, (scratch_bytes + 63) / 64 * 64);
  float *x = malloc((size_t)(m * k) * sizeof(float)), *y = malloc((size_t)(m * n) * sizeof(float));
  for (int64_t i = 0; i < m * k; i++) x[i] = (float)(i * 7 % 31) - 15;
  int copies = m > 1 ? 1 : (int)(ARENA / bytes) < MAX_RUNS ? (int)(ARENA / bytes) : MAX_RUNS;
  int runs = m > 1 ? 15 : copies < 60 ? 3 * copies : copies;
  printf("%-4s m %-3ld %5d x %-4d", names[format], (long)m, n, k);
  for (int threads = 1; threads <= 2; threads++) {
    ingot_context context = {pool, threads, ingot_isa_best(), scratch, scratch_bytes};
    ingot_weight weight = {(ingot_format)format, group, n, k, arena};
    double seconds = product(&context, weight, bytes, copies, runs, m, x, y);
    double rate = (double)bytes / seconds, operations = 2.0 * n * k * (double)m / seconds;
    if (m == 1)
      printf(" | %d: %8.1f us %5.1f GB/s %3.0f%%", threads, seconds * 1e6, rate * 1e-9, 100 * rate / limits[threads]);
    else
      printf(" | %d: %9.1f us %6.1f GOPS/core", threads, seconds * 1e6, operations * 1e-9 / threads);
    if (m == 1)
      printf(" (warm %6.1f us)", product(&context, weight, bytes, 1, 200, m, x, y) * 1e6);
  }
  printf("\n");
  fflush(stdout);
  free(scratch), free(x), free(y);
}

int main(int count, char **values) {
  int format = count > 1 ? atoi(values[1]) : INGOT_I4, group = format < INGOT_I8 ? 0 : count > 2 ? atoi(values[2]) : 32;
  int64_t rows = count > 3 ? atoi(values[3]) : 0;  // 0: both 1 and 512
  ingot_pool *pool = ingot_pool_create(2, 20000);
  char *arena = aligned_alloc(4096, ARENA);
  for (size_t i = 0; i < ARENA; i++) arena[i] = (char)((i * 2654435761u >> 13) & 0x33);
  double limits[3] = {0, read_limit(pool, 1, arena, ARENA), read_limit(pool, 2, arena, ARENA)};
  printf("%s; plain reads: %.1f GB/s on 1 thread, %.1f on 2\n", ingot_isa_name(ingot_isa_best()), limits[1] * 1e-9,
         limits[2] * 1e-9);
  for (int s = 0; s < 6; s++)
    for (int64_t m = 1; m <= 512; m *= 512)
      if ((rows == 0 || rows == m) && (m == 1 || format >= INGOT_I8 || s < 5))
        measure(pool, format, group, m, shapes[s], arena, limits);
  ingot_pool_destroy(pool);
  free(arena);
  return 0;
}
