/*
 * sum_s8.h - ADD and SUB of two tensors of one shape, element by element.
 *
 * The reference brings both operands to one scale, adds them, and brings the sum to the output's
 * scale, rounding each time. Here the output is one linear form of both codes: the compiler has
 * found factors and a constant that give the reference's code for each of the 65536 pairs. The
 * output may take the place of either operand.
 */
#ifndef TINYFLOW_SUM_S8_H
#define TINYFLOW_SUM_S8_H

#include "tinyflow.h"

/* Elements that a block sums in one turn of its loop. */
#define TINYFLOW_SUM_TURN 8

/* clamp(((a_factor * a + b_factor * b) / 2^8 + start + constant) / 2^shift + base, lo, hi), each
 * product rounded down for itself. With `by_sign` 1 is subtracted before the constant is added,
 * where the sum is negative until then. A block has `by_sign` and all that follows built in. */
typedef struct {
    int32_t a_factor, b_factor, start, constant;
    int32_t by_sign;
    int32_t shift;
    int32_t base, lo, hi;
} tinyflow_sum;

/* Sums of `count` elements, a multiple of TINYFLOW_SUM_TURN. */
typedef void (*tinyflow_sum_block)(int8_t *out, const int8_t *a, const int8_t *b, int32_t count,
                                   const tinyflow_sum *sum);

typedef struct {
    int32_t height, row_bytes;
    tinyflow_sum sum;
    tinyflow_sum_block block;
} tinyflow_sum_s8;

/* factor * code / 2^8, rounded down: what SMLAW adds for a code in the upper byte of a half-word. */
TINYFLOW_INLINE int32_t tinyflow_sum_product(int32_t factor, int32_t code)
{
    return (int32_t)(((int64_t)factor * (code * 256)) >> 16);
}

TINYFLOW_INLINE void tinyflow_sum_codes_s8(int8_t *out, const int8_t *a, const int8_t *b,
                                           int32_t count, const tinyflow_sum *sum)
{
    for (int32_t i = 0; i < count; ++i) {
        const int32_t products = tinyflow_sum_product(sum->a_factor, a[i]) +
                                 tinyflow_sum_product(sum->b_factor, b[i]);
        const int32_t part = products + sum->start;
        const int32_t total = part + (sum->by_sign ? part >> 31 : 0) + sum->constant;
        const int32_t code = (total >> sum->shift) + sum->base;
        out[i] = (int8_t)(code < sum->lo ? sum->lo : code > sum->hi ? sum->hi : code);
    }
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_sum_s8_rows(const tinyflow_sum_s8 *layer, tinyflow_const_rows a,
                                          tinyflow_const_rows b, tinyflow_rows out, int32_t y0,
                                          int32_t y1)
{
    /* Rows that all lie side by side are one. */
    const int whole =
        a.ring >= layer->height && b.ring >= layer->height && out.ring >= layer->height;
    const int32_t rows = whole ? y1 - y0 : 1;
    const int32_t count = rows * layer->row_bytes;
    const int32_t turns = count / TINYFLOW_SUM_TURN * TINYFLOW_SUM_TURN;

    for (int32_t y = y0; y < y1; y += rows) {
        const int8_t *a_row = tinyflow_const_row(a, y, layer->height);
        const int8_t *b_row = tinyflow_const_row(b, y, layer->height);
        int8_t *out_row = tinyflow_row(out, y, layer->height);
        if (turns > 0) {
            layer->block(out_row, a_row, b_row, turns, &layer->sum);
        }
        tinyflow_sum_codes_s8(out_row + turns, a_row + turns, b_row + turns, count - turns,
                              &layer->sum);
    }
}

#endif
