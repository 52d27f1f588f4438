/// Rope, the cache and attention over it.
#include "check.h"

typedef struct attention {
  ingot_attention_arguments arguments;
  ingot_cache_arguments cache;
  ingot_rope_arguments rope;
} attention;

static void run_rope(const ingot_context *context, const void *argument, void *target) {
  ingot_rope_arguments a = ((const attention *)argument)->rope;
  a.y = target;
  ingot_rope(context, &a);
}
static void run_write(const ingot_context *context, const void *argument, void *target) {
  ingot_cache_arguments a = ((const attention *)argument)->cache;
  a.pages = target;
  ingot_cache_write(context, &a);
}
static void run_attention(const ingot_context *context, const void *argument, void *target) {
  ingot_attention_arguments a = ((const attention *)argument)->arguments;
  a.y = target;
  ingot_attention(context, &a);
}

static void check_rope(int64_t heads, int64_t head_dim, int64_t rotary, int interleaved) {
  enum { TOKENS = 7, POSITIONS = 40 };
  check_seed((uint64_t)(heads * 1000 + head_dim));
  int64_t positions[TOKENS], stride = heads * head_dim + 2;
  int32_t table_of[TOKENS];
  for (int i = 0; i < TOKENS; i++) positions[i] = check_below(POSITIONS), table_of[i] = (int32_t)check_below(2);
  float *tables[2] = {check_floats((size_t)(POSITIONS * rotary)), check_floats((size_t)(POSITIONS * rotary))};
  float *x = check_floats((size_t)(TOKENS * stride));
  attention a = {.rope = {
      TOKENS, heads, head_dim, rotary, interleaved, positions, table_of, (const float *const *)tables, x, stride, NULL,
      stride}};
  char name[96];
  snprintf(
      name, sizeof name, "rope heads %d dim %d rotary %d interleaved %d", (int)heads, (int)head_dim, (int)rotary,
      interleaved);
  check_case(name, CHECK_F32, (size_t)(TOKENS * stride - 2) * sizeof(float), 0, run_rope, &a);
  free(tables[0]), free(tables[1]), free(x);
}

typedef struct sequence { int cached, added; } sequence;

static void check_batch(
    ingot_kv type, int64_t heads, int64_t kv_heads, int64_t d, int64_t window, float softcap,
    const sequence *sequences, int count) {
  char name[128];
  snprintf(
      name, sizeof name, "attention type %d heads %d/%d dim %d window %d softcap %g, %d sequences from %d+%d", type,
      (int)heads, (int)kv_heads, (int)d, (int)window, (double)softcap, count, sequences[0].cached, sequences[0].added);
  check_seed((uint64_t)(type + 2 * heads + 100 * d + 100000 * count + 7 * sequences[0].cached));
  int tokens = 0, all = 0, max_blocks = 0, pages = 0;
  for (int s = 0; s < count; s++) {
    int length = sequences[s].cached + sequences[s].added, blocks = (length + INGOT_PAGE - 1) / INGOT_PAGE;
    tokens += sequences[s].added, all += length, pages += blocks;
    max_blocks = blocks > max_blocks ? blocks : max_blocks;
  }
  int64_t *positions = check_bytes((size_t)tokens * sizeof *positions);
  int32_t *slots = check_bytes((size_t)tokens * 4), *sequence_of = check_bytes((size_t)tokens * 4);
  int32_t *all_slots = check_bytes((size_t)all * 4), *tables = check_bytes((size_t)(count * max_blocks) * 4);
  int32_t q_start[8] = {0}, seq_len[8];
  // Pages are dealt from the last to the first, one sequence after the other.
  for (int s = 0, page = pages, token = 0, at = 0; s < count; s++) {
    seq_len[s] = sequences[s].cached + sequences[s].added;
    for (int b = 0; b < max_blocks; b++) tables[s * max_blocks + b] = b * INGOT_PAGE < seq_len[s] ? --page : -1;
    for (int i = 0; i < seq_len[s]; i++) {
      int32_t slot = tables[s * max_blocks + i / INGOT_PAGE] * INGOT_PAGE + i % INGOT_PAGE;
      all_slots[at++] = slot;
      if (i < sequences[s].cached) continue;
      positions[token] = i, slots[token] = slot, sequence_of[token++] = s;
    }
    q_start[s + 1] = token;
  }
  float *k = check_floats((size_t)(all * kv_heads * d)), *v = check_floats((size_t)(all * kv_heads * d));
  float *q = check_floats((size_t)(tokens * heads * d));
  for (int64_t i = 0; i < tokens * heads * d; i += 3) q[i] *= 4;
  size_t page_bytes = ingot_page_bytes(type, kv_heads, d) * (size_t)pages;
  attention a = {.cache = {all, kv_heads, d, type, all_slots, k, kv_heads * d, v, kv_heads * d, NULL}};
  check_kind kind = type == INGOT_KV_F32 ? CHECK_F32 : type == INGOT_KV_F16 ? CHECK_F16 : CHECK_BYTES;
  check_case(name, kind, page_bytes, 0, run_write, &a);
  void *cache = check_bytes(page_bytes);
  memset(cache, 0xFF, page_bytes);   // NaN where nothing is stored
  ingot_context context = {NULL, 1, INGOT_ISA_PORTABLE, NULL, 0};
  run_write(&context, &a, cache);
  ingot_batch batch = {tokens, count, max_blocks, positions, slots, sequence_of, q_start, seq_len, tables};
  a.arguments = (ingot_attention_arguments){
      &batch, heads, kv_heads, d, window, 1 / sqrtf((float)d), softcap, type, cache, q, heads * d, NULL, heads * d + 1};
  size_t bytes = (size_t)(tokens * (heads * d + 1) - 1) * sizeof(float);
  check_case(name, CHECK_F32, bytes, ingot_attention_scratch_bytes(heads, kv_heads, d, 3), run_attention, &a);
  free(positions), free(slots), free(sequence_of), free(all_slots), free(tables), free(k), free(v), free(q);
  free(cache);
}

void check_attention(void) {
  check_rope(3, 64, 64, 0), check_rope(2, 20, 10, 0), check_rope(1, 128, 36, 1), check_rope(5, 8, 8, 1);
  static const sequence one[] = {{0, 1}}, prompt[] = {{0, 70}}, decode[] = {{200, 1}, {63, 1}, {64, 1}, {5, 1}};
  static const sequence mixed[] = {{130, 3}, {0, 33}, {90, 1}}, deep[] = {{1100, 1}}, chunk[] = {{517, 20}};
  for (int t = INGOT_KV_F32; t <= INGOT_KV_I8; t++) {
    ingot_kv type = (ingot_kv)t;
    check_batch(type, 1, 1, 8, 0, 0, one, 1);
    check_batch(type, 4, 2, 24, 0, 0, prompt, 1);
    check_batch(type, 6, 2, 40, 30, 0, decode, 4);
    check_batch(type, 5, 1, 64, 0, 20, mixed, 3);
    check_batch(type, 8, 1, 16, 0, 0, deep, 1);
    if (check_reduced) continue;
    for (int64_t heads = 1; heads <= 7; heads++) check_batch(type, heads, 1, 72, 0, 0, decode, 4);
    check_batch(type, 4, 4, 128, 0, 0, prompt, 1);
    check_batch(type, 16, 2, 128, 100, 0, mixed, 3);
    check_batch(type, 14, 2, 64, 0, 0, deep, 1);
    check_batch(type, 3, 3, 96, 0, 5, chunk, 1);
  }
}
