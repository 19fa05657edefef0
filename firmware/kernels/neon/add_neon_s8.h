/*
 * add_neon_s8.h - ADD and SUB of tensors of one shape, as add_s8.h computes them, by fours.
 *
 * The output may take the place of either operand.
 */
#ifndef TINYFLOW_ADD_NEON_S8_H
#define TINYFLOW_ADD_NEON_S8_H

#include "neon/requantize_neon.h"

/* How an operand's codes are brought to the common scale. */
typedef struct {
    int32_t zero, multiplier, shift;
} tinyflow_add_operand;

typedef struct {
    int32_t height, row_bytes;
    tinyflow_add_operand a, b;
    int32_t multiplier, shift; /* of the sum */
    int32_t left_shift;
    int32_t subtract; /* 1: a - b */
    tinyflow_codes_range range;
} tinyflow_add_neon_s8;

/* `count` codes, at most 4, as numbers; what follows them is 0. */
TINYFLOW_VECTOR tinyflow_lanes tinyflow_widen_codes(const int8_t *codes, int32_t count)
{
    uint32_t word = 0;
    memcpy(&word, codes, count >= 4 ? 4u : (size_t)count);
#if TINYFLOW_HAS_NEON
    return vmovl_s16(vget_low_s16(vmovl_s8(vcreate_s8(word))));
#else
    tinyflow_lanes lanes;
    for (int i = 0; i < 4; ++i) {
        lanes.lane[i] = (int8_t)(uint8_t)(word >> (8 * i));
    }
    return lanes;
#endif
}

/* Numbers of at most 9 bits, up by so many bits that they still fit. */
TINYFLOW_VECTOR tinyflow_lanes tinyflow_shift_lanes(tinyflow_lanes lanes, int32_t bits)
{
#if TINYFLOW_HAS_NEON
    return vshlq_s32(lanes, vdupq_n_s32(bits));
#else
    for (int i = 0; i < 4; ++i) {
        lanes.lane[i] *= INT32_C(1) << bits;
    }
    return lanes;
#endif
}

TINYFLOW_VECTOR tinyflow_lanes tinyflow_subtract_lanes(tinyflow_lanes a, tinyflow_lanes b)
{
#if TINYFLOW_HAS_NEON
    return vsubq_s32(a, b);
#else
    for (int i = 0; i < 4; ++i) {
        a.lane[i] -= b.lane[i];
    }
    return a;
#endif
}

TINYFLOW_INLINE tinyflow_lanes tinyflow_scale_operand(const tinyflow_add_neon_s8 *layer,
                                                      tinyflow_add_operand operand,
                                                      const int8_t *codes, int32_t count)
{
    const tinyflow_factors by = {tinyflow_same_lanes(operand.multiplier),
                                 tinyflow_same_lanes(operand.shift)};
    const tinyflow_lanes values = tinyflow_subtract_lanes(tinyflow_widen_codes(codes, count),
                                                          tinyflow_same_lanes(operand.zero));
    return tinyflow_requantize_lanes(tinyflow_shift_lanes(values, layer->left_shift), by,
                                     layer->range.shifts_left);
}

TINYFLOW_INLINE void tinyflow_add_few(const tinyflow_add_neon_s8 *layer, const int8_t *a,
                                      const int8_t *b, int8_t *out, int32_t count)
{
    const tinyflow_lanes of_a = tinyflow_scale_operand(layer, layer->a, a, count);
    const tinyflow_lanes of_b = tinyflow_scale_operand(layer, layer->b, b, count);
    const tinyflow_lanes sum = layer->subtract ? tinyflow_subtract_lanes(of_a, of_b)
                                               : tinyflow_add_lanes(of_a, of_b);
    const tinyflow_factors by = {tinyflow_same_lanes(layer->multiplier),
                                 tinyflow_same_lanes(layer->shift)};
    const tinyflow_lanes values = tinyflow_requantize_lanes(sum, by, layer->range.shifts_left);
    tinyflow_store_codes(out, tinyflow_output_lanes(values, layer->range), count);
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_add_neon_s8_rows(const tinyflow_add_neon_s8 *layer,
                                               tinyflow_const_rows a, tinyflow_const_rows b,
                                               tinyflow_rows out, int32_t y0, int32_t y1)
{
    for (int32_t y = y0; y < y1; ++y) {
        const int8_t *a_row = tinyflow_const_row(a, y, layer->height);
        const int8_t *b_row = tinyflow_const_row(b, y, layer->height);
        int8_t *out_row = tinyflow_row(out, y, layer->height);
        int32_t i = 0;
        for (; i + 4 <= layer->row_bytes; i += 4) {
            tinyflow_add_few(layer, a_row + i, b_row + i, out_row + i, 4);
        }
        if (i < layer->row_bytes) {
            tinyflow_add_few(layer, a_row + i, b_row + i, out_row + i, layer->row_bytes - i);
        }
    }
}

#endif
