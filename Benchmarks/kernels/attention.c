/// Attention beside the limits of the machine it runs on: GB/s of cached keys and values against a plain read loop for
/// one new token, operations a second for a prompt.
///
///   clang -O2 -D_GNU_SOURCE -ISources/CKernels/include Sources/CKernels/*.c Sources/CKernels/lanes/*.c \
///     Benchmarks/kernels/attention.c -lpthread -lm -o /tmp/attention && /tmp/attention [f32|f16|i8] [decode|prefill]
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingot_attention.h"
#include "timing.h"

enum { ARENA = 256 << 20, MAX_RUNS = 400, PROMPT = 512 };

static const char *const names[] = {"f32", "f16", "i8"};
enum { TYPES = sizeof names / sizeof *names };
static const int shapes[][3] = {{16, 8, 128}, {9, 3, 64}, {32, 8, 64}, {14, 2, 64}};
static const int depths[] = {64, 512, 4096, 16384};

/// The caches of `copies` layers, one after another, each of one sequence of `length` tokens.
typedef struct problem {
  ingot_attention_arguments arguments;
  ingot_batch batch;
  size_t bytes;   ///< of one layer
  int copies;
} problem;

static float *floats(int64_t count) {
  float *x = malloc((size_t)count * sizeof *x);
  for (int64_t i = 0; i < count; i++) x[i] = (float)((uint32_t)i * 2654435761u >> 8) * 0x1p-23f - 1;
  return x;
}

static void fill(const ingot_context *context, problem *p, char *arena) {
  const ingot_attention_arguments *a = &p->arguments;
  int64_t length = p->batch.seq_len[0], width = a->kv_heads * a->head_dim;
  int32_t *slots = malloc((size_t)length * sizeof *slots);
  for (int64_t t = 0; t < length; t++) slots[t] = (int32_t)t;
  float *rows = floats(length * width);
  ingot_cache_arguments write = {length, a->kv_heads, a->head_dim, a->type, slots, rows, width, rows, width, arena};
  ingot_cache_write(context, &write);
  for (int copy = 1; copy < p->copies; copy++) memcpy(arena + (size_t)copy * p->bytes, arena, p->bytes);
  free(slots), free(rows);
}

/// Seconds of one call; each reads the next layer.
static double attend(const ingot_context *context, problem *p, int runs, const char *arena) {
  static double times[MAX_RUNS];
  for (int i = 0; i < runs; i++) {
    p->arguments.pages = arena + (size_t)(i % p->copies) * p->bytes;
    double start = now();
    ingot_attention(context, &p->arguments);
    times[i] = now() - start;
  }
  return typical(times, runs);
}

static void measure(
    ingot_pool *pool, ingot_kv type, const int *shape, int64_t depth, int64_t tokens, char *arena,
    const double *limits) {
  int64_t heads = shape[0], kv_heads = shape[1], head_dim = shape[2], length = depth + tokens;
  int64_t pages = (length + INGOT_PAGE - 1) / INGOT_PAGE, width = heads * head_dim;
  int32_t *table = malloc((size_t)pages * sizeof *table), *sequence_of = calloc((size_t)tokens, sizeof *sequence_of);
  int64_t *positions = malloc((size_t)tokens * sizeof *positions);
  for (int64_t i = 0; i < pages; i++) table[i] = (int32_t)i;
  for (int64_t i = 0; i < tokens; i++) positions[i] = depth + i;
  int32_t start[2] = {0, (int32_t)tokens}, seq_len = (int32_t)length;
  float *q = floats(tokens * width), *y = malloc((size_t)(tokens * width) * sizeof *y);
  size_t scratch_bytes = (ingot_attention_scratch_bytes(heads, kv_heads, head_dim, 2) + 63) / 64 * 64;
  void *scratch = aligned_alloc(64, scratch_bytes);
  problem p = {
    .arguments = {NULL, heads, kv_heads, head_dim, 0, 0.088f, 0, type, arena, q, width, y, width},
    .batch = {tokens, 1, pages, positions, NULL, sequence_of, start, &seq_len, table},
    .bytes = ingot_page_bytes(type, kv_heads, head_dim) * (size_t)pages,
  };
  p.arguments.batch = &p.batch;
  p.copies = tokens > 1 ? 1 : (int)(ARENA / p.bytes);
  if (p.copies > MAX_RUNS) p.copies = MAX_RUNS;
  int runs = tokens > 1 ? 7 : p.copies < 30 ? 30 : p.copies;
  ingot_context context = {pool, 1, ingot_isa_best(), scratch, scratch_bytes};
  fill(&context, &p, arena);
  printf("%-3s %2d/%d/%-3d depth %-5ld %-7s", names[type], shape[0], shape[1], shape[2], (long)depth,
         tokens > 1 ? "prefill" : "decode");
  for (context.threads = 1; context.threads <= 2; context.threads++) {
    double seconds = attend(&context, &p, runs, arena);
    double rate = (double)ingot_page_bytes(type, kv_heads, head_dim) / INGOT_PAGE * (double)length / seconds;
    // Two products over what each token sees.
    double operations = 4.0 * (double)width * (double)tokens * ((double)depth + 0.5 * (double)(tokens + 1)) / seconds;
    if (tokens == 1)
      printf(" | %d: %8.1f us %5.1f GB/s %3.0f%%", context.threads, seconds * 1e6, rate * 1e-9,
             100 * rate / limits[context.threads]);
    else
      printf(" | %d: %9.1f us %6.1f GOPS/core", context.threads, seconds * 1e6,
             operations * 1e-9 / context.threads);
  }
  printf("\n");
  fflush(stdout);
  free(table), free(sequence_of), free(positions), free(q), free(y), free(scratch);
}

int main(int count, char **values) {
  const char *type = count > 1 ? values[1] : "all", *work = count > 2 ? values[2] : "all";
  ingot_pool *pool = ingot_pool_create(2, 20000);
  char *arena = aligned_alloc(4096, ARENA);
  memset(arena, 1, ARENA);
  double limits[3] = {0, read_limit(pool, 1, arena, ARENA), read_limit(pool, 2, arena, ARENA)};
  printf("%s; plain reads: %.1f GB/s on 1 thread, %.1f on 2\n", ingot_isa_name(ingot_isa_best()), limits[1] * 1e-9,
         limits[2] * 1e-9);
  for (int t = 0; t < TYPES; t++) {
    if (strcmp(type, "all") != 0 && strcmp(type, names[t]) != 0) continue;
    for (int s = 0; s < 4; s++) {
      for (int d = 0; d < 4 && strcmp(work, "prefill") != 0; d++)
        measure(pool, (ingot_kv)t, shapes[s], depths[d] - 1, 1, arena, limits);
      for (int d = 0; d <= 4096 && strcmp(work, "decode") != 0; d += 4096)
        measure(pool, (ingot_kv)t, shapes[s], d, PROMPT, arena, limits);
    }
  }
  ingot_pool_destroy(pool);
  free(arena);
  return 0;
}
