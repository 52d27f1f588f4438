/// What the search for scales and limits of weights computes.
#include "check.h"

typedef struct operation {
  ingot_weight_rows rows;
  const float *moments, *x;
  int64_t count;
} operation;

static void run_differences(const ingot_context *context, const void *argument, void *target) {
  const operation *o = argument;
  if (ingot_rounding_differences(context, &o->rows, target) != INGOT_QUANTIZED) memset(target, 0x77, 4);
}

static void run_limits(const ingot_context *context, const void *argument, void *target) {
  const operation *o = argument;
  if (ingot_search_limits(context, &o->rows, o->moments, 20, 13, target) != INGOT_QUANTIZED) memset(target, 0x77, 1);
}

static void run_energy(const ingot_context *context, const void *argument, void *target) {
  const operation *o = argument;
  double energy =
      ingot_product_energy(context, o->x, o->count, o->rows.weights, o->rows.rows, o->rows.width);
  memcpy(target, &energy, sizeof energy);
}

void check_search(void) {
  for (int form = 0; form < 24; form++) {
    int group = 32 << form % 3, rows = check_reduced ? 19 : 67, width = 384, count = 21;
    check_seed((uint64_t)form + 77);
    float *weights = check_floats((size_t)(rows * width)), *scales = check_floats((size_t)width);
    float *moments = check_floats((size_t)(width * group)), *x = check_floats((size_t)(count * width));
    for (int i = 0; i < width; i++) scales[i] = 1.5f + scales[i];
    operation o = {
      .rows = {
        .grouped = {.bits = form / 3 % 2 ? 8 : 4, .group = group, .minimum = form / 6 % 2}, .rows = rows,
        .width = width, .weights = weights, .scales = form / 12 ? scales : NULL},
      .moments = moments, .x = x, .count = count};
    char name[64];
    snprintf(name, sizeof name, "search form %d", form);
    check_case(name, CHECK_F32, (size_t)(rows * width) * sizeof(float), 0, run_differences, &o);
    check_case(name, CHECK_BYTES, (size_t)(rows * width / group), 0, run_limits, &o);
    if (form % 6 == 0) {
      size_t scratch = ingot_product_energy_bytes(count, rows, width, 3);
      check_case(name, CHECK_BYTES, sizeof(double), scratch, run_energy, &o);
    }
    free(weights), free(scales), free(moments), free(x);
  }
}
