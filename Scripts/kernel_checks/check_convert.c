/// Conversions and block types. They choose by the processor, not by the context: whole arrays are compared with one
/// element after the other, which takes the plain path, and by the digest with other architectures.
#include "check.h"
#include "ingot_repack.h"

typedef struct source {
  const void *data;
  size_t count;
  int type;
  int64_t group;
} source;

static void run_f16_to_f32(const ingot_context *context, const void *argument, void *target) {
  const source *s = argument;
  (void)context;
  ingot_f16_to_f32(s->data, target, s->count);
}
static void run_f32_to_f16(const ingot_context *context, const void *argument, void *target) {
  const source *s = argument;
  (void)context;
  ingot_f32_to_f16(s->data, target, s->count);
}
static void run_bf16_to_f32(const ingot_context *context, const void *argument, void *target) {
  const source *s = argument;
  (void)context;
  ingot_bf16_to_f32(s->data, target, s->count);
}
static void run_f32_to_bf16(const ingot_context *context, const void *argument, void *target) {
  const source *s = argument;
  (void)context;
  ingot_f32_to_bf16(s->data, target, s->count);
}
static void run_bf16_to_f16(const ingot_context *context, const void *argument, void *target) {
  const source *s = argument;
  (void)context;
  ((uint16_t *)target)[s->count] = (uint16_t)ingot_bf16_to_f16(s->data, target, s->count);
}

static void check_floats16(void) {
  enum { COUNT = 65536 };
  uint16_t *halves = check_bytes(2 * COUNT), *one = check_bytes(2 * COUNT), *bulk = check_bytes(2 * COUNT);
  float *floats = check_bytes(4 * COUNT), *wide = check_bytes(4 * COUNT);
  check_seed(1);
  for (uint32_t i = 0; i < COUNT; i++) {
    halves[i] = (uint16_t)i;
    uint32_t bits = i << 16 | check_below(1 << 16);
    if (check_below(2)) bits = (bits & 0x8FFFE000) + 0x33000000 + (check_below(9) << 24);   // in range, often ties
    memcpy(floats + i, &bits, 4);
  }
  source from_halves = {halves, COUNT, 0, 0}, from_floats = {floats, COUNT, 0, 0};
  check_case("f16 to f32", CHECK_F32, 4 * COUNT, 0, run_f16_to_f32, &from_halves);
  check_case("f32 to f16", CHECK_F16, 2 * COUNT, 0, run_f32_to_f16, &from_floats);
  check_case("bf16 to f32", CHECK_F32, 4 * COUNT, 0, run_bf16_to_f32, &from_halves);
  check_case("f32 to bf16", CHECK_BYTES, 2 * COUNT, 0, run_f32_to_bf16, &from_floats);
  check_case("bf16 to f16", CHECK_F16, 2 * COUNT + 2, 0, run_bf16_to_f16, &from_halves);
  ingot_f16_to_f32(halves, wide, COUNT);
  for (uint32_t i = 0; i < COUNT; i++) ingot_f16_to_f32(halves + i, floats + i, 1);
  check_equal("f16 to f32 one by one", CHECK_F32, 4 * COUNT, floats, wide);
  for (uint32_t i = 0; i < COUNT; i++) {
    uint32_t bits = i << 16 | (i * 40503u & 0xFFFF);
    memcpy(floats + i, &bits, 4);
    ingot_f32_to_f16(floats + i, one + i, 1);
  }
  ingot_f32_to_f16(floats, bulk, COUNT);
  check_equal("f32 to f16 one by one", CHECK_F16, 2 * COUNT, one, bulk);
  for (uint32_t i = 0; i < COUNT; i++) ingot_bf16_to_f16(halves + i, one + i, 1);
  ingot_bf16_to_f16(halves, bulk, COUNT);
  check_equal("bf16 to f16 one by one", CHECK_F16, 2 * COUNT, one, bulk);
  free(halves), free(one), free(bulk), free(floats), free(wide);
}

static void run_dequantize(const ingot_context *context, const void *argument, void *target) {
  const source *s = argument;
  (void)context;
  ingot_dequantize((ingot_block)s->type, s->data, target, s->count);
}
static void run_split(const ingot_context *context, const void *argument, void *target) {
  const source *s = argument;
  (void)context;
  size_t weights = s->count * ingot_block_weights((ingot_block)s->type), groups = weights / 32;
  uint16_t *scales = (uint16_t *)((int8_t *)target + weights);
  ingot_split_blocks((ingot_block)s->type, s->data, s->count, target, scales, scales + groups);
}

static void check_blocks(void) {
  static const ingot_block types[] = {
      INGOT_BLOCK_Q4_0, INGOT_BLOCK_Q4_1, INGOT_BLOCK_Q5_0, INGOT_BLOCK_Q5_1, INGOT_BLOCK_Q8_0, INGOT_BLOCK_Q4_K,
      INGOT_BLOCK_Q5_K, INGOT_BLOCK_Q6_K};
  enum { BLOCKS = 37 };
  for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
    size_t size = ingot_block_bytes(types[t]), weights = ingot_block_weights(types[t]);
    check_seed(t);
    uint8_t *memory = check_bytes(size * BLOCKS + 1);
    for (size_t i = 0; i <= size * BLOCKS; i++) memory[i] = (uint8_t)check_below(256);
    source s = {memory + 1, BLOCKS, (int)types[t], 0};   // at an odd address
    char name[64];
    snprintf(name, sizeof name, "dequantised blocks of type %d", types[t]);
    check_case(name, CHECK_F32, 4 * weights * BLOCKS, 0, run_dequantize, &s);
    float *all = check_bytes(4 * weights * BLOCKS), *each = check_bytes(4 * weights * BLOCKS);
    ingot_dequantize(types[t], memory + 1, all, BLOCKS);
    for (size_t b = 0; b < BLOCKS; b++) ingot_dequantize(types[t], memory + 1 + b * size, each + b * weights, 1);
    check_equal(name, CHECK_F32, 4 * weights * BLOCKS, each, all);
    // Scales as a checkpoint has them: not NaN, whose bits differ between processors.
    for (size_t i = 0; i <= size * BLOCKS; i++) memory[i] &= 0x3F;
    snprintf(name, sizeof name, "split blocks of type %d", types[t]);
    check_case(name, CHECK_BYTES, weights * BLOCKS + weights / 32 * BLOCKS * 4, 0, run_split, &s);
    free(memory), free(all), free(each);
  }
}

static void run_quantize(const ingot_context *context, const void *argument, void *target) {
  const source *s = argument;
  size_t groups = (s->count + (size_t)s->group - 1) / (size_t)s->group;
  ingot_quantizer quantizer = {s->type & 1 ? 4 : 8, s->type >> 1 & 1, (ingot_scale)(s->type >> 2)};
  float *scales = target;
  uint8_t *zeros = (uint8_t *)(scales + groups);
  ingot_quantize_groups(
      context->isa, &quantizer, s->data, (int64_t)s->count, s->group, zeros + groups, scales, zeros);
}

static void check_quantizers(void) {
  static const int64_t groups[] = {32, 100, 128};
  for (int type = 0; type < 12; type++)
    for (int g = 0; g < 3; g++) {
      size_t count = 1003, parts = (count + (size_t)groups[g] - 1) / (size_t)groups[g];
      check_seed((uint64_t)(type + 100 * g));
      float *x = check_floats(count);
      source s = {x, count, type, groups[g]};
      char name[64];
      snprintf(name, sizeof name, "quantised weights, kind %d, groups of %d", type, (int)groups[g]);
      check_case(name, CHECK_BYTES, 5 * parts + count, 0, run_quantize, &s);
      free(x);
    }
}

void check_convert(void) {
  check_floats16();
  check_blocks();
  check_quantizers();
}
