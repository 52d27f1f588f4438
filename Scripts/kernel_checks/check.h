/// What the kernel checks share: seeded values, guarded outputs, and the comparison of every instruction set with the
/// portable one, bit for bit.
#ifndef INGOT_CHECK_H
#define INGOT_CHECK_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

/// Fewer shapes, for emulated processors.
extern bool check_reduced;

/// Starts the random numbers of a case again, so that they do not depend on the cases before.
void check_seed(uint64_t seed);
uint32_t check_below(uint32_t limit);
/// In [-1, 1).
float check_uniform(void);
uint16_t check_half(float x);
/// `count` values in [-1, 1); freed by the caller.
float *check_floats(size_t count);
/// 64-byte aligned.
void *check_bytes(size_t bytes);

/// What an output holds. NaNs are equal whatever their bits.
typedef enum check_kind { CHECK_F32, CHECK_F16, CHECK_BYTES } check_kind;

/// Computes into `target`, which is filled with a pattern before.
typedef void (*check_run)(const ingot_context *context, const void *argument, void *target);

/// One operation: run portably on one thread, then with every instruction set on one thread and on three. All of
/// `bytes` must agree, also what the operation should leave alone, and nothing round them may change.
void check_case(
    const char *name, check_kind kind, size_t bytes, size_t scratch_bytes, check_run run, const void *argument);
/// A comparison beside those of `check_case`.
void check_equal(const char *name, check_kind kind, size_t bytes, const void *expected, const void *actual);

/// The groups of cases, one file each.
void check_matmul(void);
void check_attention(void);
void check_ops(void);
void check_convert(void);
void check_search(void);

#endif
