/// Checks the kernels of some instruction sets against the portable ones, bit for bit.
///
/// Usage: check [--reduced] [instruction set ...], by default all that the processor has. Prints what differs, a digest
/// of the portable results (the same on every architecture), and how many comparisons passed and failed.
#include "check.h"

enum { GUARD = 64, PATTERN = 0xA5, THREADS = 3, MAXIMUM_REPORTS = 20 };

bool check_reduced;
static uint64_t state;
static ingot_isa isas[INGOT_ISA_COUNT];
static int isa_count;
static ingot_pool *pool;
static long passed, failed;
static uint64_t digest;

void check_seed(uint64_t seed) { state = 88172645463325252u ^ (seed * 0x9E3779B97F4A7C15u); }
uint32_t check_below(uint32_t limit) {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return (uint32_t)(state >> 20) % limit;
}
float check_uniform(void) { return (float)check_below(1 << 24) / (1 << 23) - 1; }
uint16_t check_half(float x) {
  uint16_t half;
  ingot_f32_to_f16(&x, &half, 1);
  return half;
}
void *check_bytes(size_t bytes) { return aligned_alloc(64, (bytes + 127) / 64 * 64); }
float *check_floats(size_t count) {
  float *x = check_bytes(count * sizeof *x);
  for (size_t i = 0; i < count; i++) x[i] = check_uniform();
  return x;
}

static uint32_t element(check_kind kind, const void *p, size_t i) {
  uint32_t bits = 0;
  if (kind == CHECK_F32) memcpy(&bits, (const char *)p + 4 * i, 4);
  if (kind == CHECK_F16) memcpy(&bits, (const char *)p + 2 * i, 2);
  if (kind == CHECK_BYTES) bits = ((const uint8_t *)p)[i];
  if (kind == CHECK_F32 && (bits & 0x7FFFFFFF) > 0x7F800000) return 0x7FC00000;
  if (kind == CHECK_F16 && (bits & 0x7FFF) > 0x7C00) return 0x7E00;
  return bits;
}

static size_t size_of(check_kind kind) { return kind == CHECK_F32 ? 4 : kind == CHECK_F16 ? 2 : 1; }

static void count(bool good, const char *name, const char *isa, int threads, const char *what) {
  if (good) {
    passed++;
    return;
  }
  if (failed++ < MAXIMUM_REPORTS) printf("FAILED %s, %s, %d threads: %s\n", name, isa, threads, what);
}

static void compare(
    const char *name, const char *isa, int threads, check_kind kind, size_t bytes, const void *expected,
    const void *actual) {
  size_t size = size_of(kind), n = bytes / size;
  char what[96] = "";
  if (memcmp(expected, actual, bytes) != 0)
    for (size_t i = 0; i < n && what[0] == 0; i++) {
      uint32_t e = element(kind, expected, i), a = element(kind, actual, i);
      if (e != a) snprintf(what, sizeof what, "[%zu of %zu] is %08x, not %08x", i, n, a, e);
    }
  count(what[0] == 0, name, isa, threads, what);
}

void check_equal(const char *name, check_kind kind, size_t bytes, const void *expected, const void *actual) {
  compare(name, "any", 1, kind, bytes, expected, actual);
}

static void add_to_digest(check_kind kind, size_t bytes, const void *data) {
  size_t n = bytes / size_of(kind);
  uint32_t *elements = check_bytes(4 * n);
  for (size_t i = 0; i < n; i++) elements[i] = element(kind, data, i);
  digest = ingot_hash64(elements, 4 * n, digest);
  free(elements);
}

/// Runs once into fresh guarded memory; what is returned is freed by the caller.
static uint8_t *run_guarded(
    const char *name, ingot_isa isa, int threads, size_t bytes, size_t scratch_bytes, check_run run,
    const void *argument) {
  uint8_t *memory = check_bytes(bytes + 2 * GUARD), *scratch = check_bytes(scratch_bytes + GUARD);
  memset(memory, PATTERN, bytes + 2 * GUARD);
  memset(scratch, PATTERN, scratch_bytes + GUARD);
  ingot_context context = {threads == 1 ? NULL : pool, threads, isa, scratch, scratch_bytes};
  run(&context, argument, memory + GUARD);
  bool whole = true;
  for (size_t i = 0; i < GUARD; i++)
    whole &= memory[i] == PATTERN && memory[GUARD + bytes + i] == PATTERN && scratch[scratch_bytes + i] == PATTERN;
  count(whole, name, ingot_isa_name(isa), threads, "wrote outside of its output or scratch");
  free(scratch);
  return memory;
}

void check_case(
    const char *name, check_kind kind, size_t bytes, size_t scratch_bytes, check_run run, const void *argument) {
  uint8_t *expected = run_guarded(name, INGOT_ISA_PORTABLE, 1, bytes, scratch_bytes, run, argument);
  add_to_digest(kind, bytes, expected + GUARD);
  for (int i = 0; i < isa_count; i++)
    for (int threads = 1; threads <= THREADS; threads += THREADS - 1) {
      if (isas[i] == INGOT_ISA_PORTABLE && threads == 1) continue;
      uint8_t *actual = run_guarded(name, isas[i], threads, bytes, scratch_bytes, run, argument);
      compare(name, ingot_isa_name(isas[i]), threads, kind, bytes, expected + GUARD, actual + GUARD);
      free(actual);
    }
  free(expected);
}

static bool add_isa(const char *name) {
  for (int isa = 0; isa < INGOT_ISA_COUNT; isa++)
    if (strcmp(name, ingot_isa_name((ingot_isa)isa)) == 0) {
      isas[isa_count++] = (ingot_isa)isa;
      return true;
    }
  fprintf(stderr, "no instruction set '%s'\n", name);
  return false;
}

int main(int arguments, char **values) {
  setvbuf(stdout, NULL, _IOLBF, 0);   // what was found before a crash is not lost
  for (int i = 1; i < arguments && isa_count < INGOT_ISA_COUNT; i++) {
    if (strcmp(values[i], "--reduced") == 0) check_reduced = true;
    else if (!add_isa(values[i])) return 2;
  }
  if (isa_count == 0)
    for (int isa = 0; isa < INGOT_ISA_COUNT; isa++)
      if (ingot_isa_available((ingot_isa)isa)) isas[isa_count++] = (ingot_isa)isa;
  pool = ingot_pool_create(THREADS, 0);
  check_convert();
  check_ops();
  check_attention();
  check_matmul();
  check_search();
  ingot_pool_destroy(pool);
  printf("instruction sets:");
  for (int i = 0; i < isa_count; i++) printf(" %s", ingot_isa_name(isas[i]));
  printf("\nportable digest %016llx\n%ld passed, %ld failed\n", (unsigned long long)digest, passed, failed);
  return failed != 0 || passed == 0;
}
