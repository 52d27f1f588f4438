/// Attention over the paged cache: which rows and spans of pages are one piece of work, and where it keeps
/// its state.
///
/// An item is up to ATTENTION_ROWS query rows of one sequence and KV head. With many items each is one chunk.
/// With few (a decode step of few sequences) the spans of each item are chunks too: their states are stored and
/// merged in the order of positions, as a single chunk does it, so the results are the same.
#include "lanes/lanes.h"
#include "parallel.h"

enum {
  /// States of spans that wait for their merge.
  WAITING = 64,
  /// Items per thread from which splitting them further gains nothing.
  ENOUGH_ITEMS = 4,
};

static int64_t align16(int64_t floats) { return (floats + 15) / 16 * 16; }
static int64_t state_floats(int64_t head_dim) { return ATTENTION_ROWS * (align16(head_dim) + 2); }
static int64_t scale_floats(int64_t head_dim) { return 2 * ceil_div(head_dim, INGOT_KV_GROUP) * INGOT_PAGE; }
static int64_t thread_floats(int64_t head_dim) {
  int64_t d = align16(head_dim);
  return 2 * state_floats(d) + ATTENTION_ROWS * (d + INGOT_PAGE + 5) + 2 * INGOT_PAGE * d + scale_floats(d);
}

size_t ingot_attention_scratch_bytes(int64_t heads, int64_t kv_heads, int64_t head_dim, int threads) {
  (void)heads, (void)kv_heads;
  return (size_t)(threads * thread_floats(head_dim) + (WAITING + 1) * state_floats(head_dim)) * sizeof(float);
}

static attention_state state_at(float *floats) {
  return (attention_state){floats, floats + ATTENTION_ROWS, floats + 2 * ATTENTION_ROWS};
}

static attention_scratch scratch_at(float *floats, int64_t head_dim) {
  int64_t d = align16(head_dim);
  attention_scratch s = {.span = state_at(floats), .total = state_at(floats + state_floats(d))};
  s.queries = floats + 2 * state_floats(d);
  s.scores = s.queries + ATTENTION_ROWS * d;
  s.scale = s.scores + ATTENTION_ROWS * INGOT_PAGE;
  s.low = (int32_t *)(s.scale + ATTENTION_ROWS);
  s.high = s.low + ATTENTION_ROWS;
  s.first = s.high + ATTENTION_ROWS;
  s.end = s.first + ATTENTION_ROWS;
  s.keys = s.scale + 5 * ATTENTION_ROWS;
  s.values = s.keys + INGOT_PAGE * d;
  s.scales = s.values + INGOT_PAGE * d;
  return s;
}

typedef struct attention_job {
  const ingot_lanes *lanes;
  const ingot_attention_arguments *arguments;
  int64_t items;
  int64_t uniform;   ///< rows of every sequence when all have the same, else 0
  float *threads, *waiting;   ///< scratch of the threads; states that wait for their merge
  const attention_item *item;   ///< of a wave: its items and spans, one per state
  const int64_t *span;
} attention_job;

static int64_t sequence_rows(const ingot_attention_arguments *a, int64_t sequence) {
  return (a->batch->q_start[sequence + 1] - a->batch->q_start[sequence]) * (a->heads / a->kv_heads);
}

/// Item `index` of all: sequence, then KV head, then block of rows, the deepest rows first as they take longest.
static attention_item item_at(const attention_job *job, int64_t index) {
  const ingot_attention_arguments *a = job->arguments;
  int64_t sequence = 0, blocks = ceil_div(job->uniform, ATTENTION_ROWS);
  if (job->uniform > 0) {   // a decode step of many sequences need not search
    sequence = index / (blocks * a->kv_heads);
    index %= blocks * a->kv_heads;
  } else {
    for (;; sequence++) {
      blocks = ceil_div(sequence_rows(a, sequence), ATTENTION_ROWS);
      if (index < blocks * a->kv_heads) break;
      index -= blocks * a->kv_heads;
    }
  }
  int64_t row = (blocks - 1 - index % blocks) * ATTENTION_ROWS, rows = sequence_rows(a, sequence) - row;
  return (attention_item){sequence, index / blocks, row, min_of(rows, ATTENTION_ROWS)};
}

/// Spans any row of the item sees: [first, end).
static void item_spans(
    const ingot_attention_arguments *a, const attention_item *item, int64_t *first, int64_t *end) {
  int64_t group = a->heads / a->kv_heads, token = a->batch->q_start[item->sequence];
  int64_t low = INT64_MAX, high = -1;
  for (int64_t t = item->row / group; t <= (item->row + item->rows - 1) / group; t++) {
    int64_t position = a->batch->positions[token + t];
    int64_t start = a->window > 0 && position >= a->window ? position - a->window + 1 : 0;
    if (start < low) low = start;
    if (position > high) high = position;
  }
  *first = low / (ATTENTION_SPAN * INGOT_PAGE);
  *end = high / (ATTENTION_SPAN * INGOT_PAGE) + 1;
}

static void start_total(const attention_state *total) {
  for (int64_t r = 0; r < ATTENTION_ROWS; r++) total->maximum[r] = -__builtin_inff();
}

static void item_chunk(void *argument, int64_t chunk, int thread) {
  const attention_job *job = argument;
  const ingot_attention_arguments *a = job->arguments;
  attention_item item = item_at(job, chunk);
  attention_scratch s = scratch_at(job->threads + thread * thread_floats(a->head_dim), a->head_dim);
  int64_t first, end;
  item_spans(a, &item, &first, &end);
  job->lanes->attention_pack(a, &item, &s);
  start_total(&s.total);
  for (int64_t span = first; span < end; span++) {
    job->lanes->attention_span(a, &item, span, &s, &s.span);
    job->lanes->attention_merge(a->head_dim, item.rows, &s.span, &s.total);
  }
  job->lanes->attention_finish(a, &item, &s.total);
}

static void span_chunk(void *argument, int64_t chunk, int thread) {
  const attention_job *job = argument;
  const ingot_attention_arguments *a = job->arguments;
  attention_scratch s = scratch_at(job->threads + thread * thread_floats(a->head_dim), a->head_dim);
  attention_state state = state_at(job->waiting + (chunk + 1) * state_floats(a->head_dim));
  job->lanes->attention_pack(a, &job->item[chunk], &s);
  job->lanes->attention_span(a, &job->item[chunk], job->span[chunk], &s, &state);
}

/// Runs the spans of all items in waves of WAITING, merging in order after each wave.
static void run_spans(const ingot_context *context, attention_job *job) {
  const ingot_attention_arguments *a = job->arguments;
  attention_item items[WAITING];
  int64_t spans[WAITING], waiting = 0;
  int last[WAITING];
  attention_state total = state_at(job->waiting);
  start_total(&total);
  job->item = items;
  job->span = spans;
  for (int64_t i = 0; i < job->items; i++) {
    attention_item item = item_at(job, i);
    int64_t span, end;
    for (item_spans(a, &item, &span, &end); span < end; span++) {
      items[waiting] = item;
      spans[waiting] = span;
      last[waiting++] = span + 1 == end;
      int finished = i + 1 == job->items && span + 1 == end;
      if (waiting < WAITING && !finished) continue;
      ingot_pool_run(context->pool, context->threads, span_chunk, job, waiting);
      for (int64_t w = 0; w < waiting; w++) {
        attention_state next = state_at(job->waiting + (w + 1) * state_floats(a->head_dim));
        job->lanes->attention_merge(a->head_dim, items[w].rows, &next, &total);
        if (!last[w]) continue;
        job->lanes->attention_finish(a, &items[w], &total);
        start_total(&total);
      }
      waiting = 0;
    }
  }
}

void ingot_attention(const ingot_context *context, const ingot_attention_arguments *arguments) {
  attention_job job = {.lanes = ingot_lanes_of(context->isa), .arguments = arguments, .threads = context->scratch};
  const ingot_batch *batch = arguments->batch;
  int64_t deepest = 0;
  job.uniform = batch->sequences > 0 ? sequence_rows(arguments, 0) : 0;
  for (int64_t s = 0; s < batch->sequences; s++) {
    if (sequence_rows(arguments, s) != job.uniform) job.uniform = 0;
    job.items += ceil_div(sequence_rows(arguments, s), ATTENTION_ROWS) * arguments->kv_heads;
    if (batch->seq_len[s] > deepest) deepest = batch->seq_len[s];
  }
  job.waiting = job.threads + context->threads * thread_floats(arguments->head_dim);
  int parallel = context->pool != NULL && context->threads > 1;
  if (parallel && job.items < ENOUGH_ITEMS * context->threads && deepest > ATTENTION_SPAN * INGOT_PAGE)
    run_spans(context, &job);
  else
    ingot_parallel(
        context, item_chunk, &job, job.items,
        batch->tokens * deepest * arguments->heads * arguments->head_dim / 8);
}
