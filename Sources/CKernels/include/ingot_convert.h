/// Bulk conversion between element types, and dequantisation of GGUF blocks.
#ifndef INGOT_CONVERT_H
#define INGOT_CONVERT_H

#include <stddef.h>
#include <stdint.h>

/// IEEE half and bfloat16 to and from float, rounding to nearest even. F16C where the processor has it.
void ingot_f16_to_f32(const uint16_t *source, float *target, size_t count);
void ingot_f32_to_f16(const float *source, uint16_t *target, size_t count);
void ingot_bf16_to_f32(const uint16_t *source, float *target, size_t count);
void ingot_f32_to_bf16(const float *source, uint16_t *target, size_t count);
/// bfloat16 to IEEE half. Returns 1 when a finite value was too large and became infinite, else 0.
int ingot_bf16_to_f16(const uint16_t *source, uint16_t *target, size_t count);
/// Whether a finite value's magnitude reaches `limit`: 65520 is the first that becomes infinite in IEEE half.
int ingot_f32_overflows(const float *source, size_t count, float limit);

/// GGUF block types by their numbers in the file format.
typedef enum ingot_block {
  INGOT_BLOCK_Q4_0 = 2,
  INGOT_BLOCK_Q4_1 = 3,
  INGOT_BLOCK_Q5_0 = 6,
  INGOT_BLOCK_Q5_1 = 7,
  INGOT_BLOCK_Q8_0 = 8,
  INGOT_BLOCK_Q4_K = 12,
  INGOT_BLOCK_Q5_K = 13,
  INGOT_BLOCK_Q6_K = 14,
} ingot_block;

/// Weights and bytes of one block; 0 for a type not listed above.
size_t ingot_block_weights(ingot_block type);
size_t ingot_block_bytes(ingot_block type);
/// Dequantises `blocks` whole blocks to float, bit for bit as the `gguf` package does.
/// `source` needs no alignment. Returns 0, or -1 for an unknown type.
int ingot_dequantize(ingot_block type, const void *source, float *target, size_t blocks);

#endif
