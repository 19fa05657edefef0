/*
 * matmul_s8.h - MATMUL: lines of a by columns of b.
 *
 *   out[m][p] = clamp(requantize(sum((a[m][k] - a_zero) * (b[k][p] - b_zero))) + out_zero)
 *
 * A row of the result is one line of the product of two matrices, or all lines where each row of
 * the operands is a matrix of its own.
 */
#ifndef TINYFLOW_MATMUL_S8_H
#define TINYFLOW_MATMUL_S8_H

#include "requantize.h"

typedef struct {
    int32_t height;                /* rows of the result */
    int32_t lines, depth, columns; /* of a row of the result, with sums of `depth` products */
    int32_t a_is_whole;            /* a line of the result needs all rows of a */
    int32_t b_is_whole;
    int32_t a_line_step, a_step;   /* bytes to the next line, and to the next factor of a sum */
    int32_t b_column_step, b_step; /* bytes to the next column, and to the next factor */
    int32_t a_zero, b_zero, out_zero;
    int32_t out_multiplier, out_shift;
    int32_t lo, hi;
} tinyflow_matmul_s8;

TINYFLOW_INLINE int8_t tinyflow_matmul_s8_code(const tinyflow_matmul_s8 *layer, int32_t sum)
{
    const int32_t value = tinyflow_requantize(sum, layer->out_multiplier, layer->out_shift);
    return tinyflow_output(value, layer->out_zero, layer->lo, layer->hi);
}

/* One line of the result: four columns at a time, so that a factor of a serves four products. */
TINYFLOW_INLINE void tinyflow_matmul_s8_line(const tinyflow_matmul_s8 *layer,
                                             const int8_t *restrict a, const int8_t *restrict b,
                                             int8_t *restrict out)
{
    const int32_t step = layer->b_column_step;
    int32_t p = 0;
    for (; p + 4 <= layer->columns; p += 4) {
        const int8_t *column = b + p * step;
        int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        for (int32_t k = 0; k < layer->depth; ++k) {
            const int32_t factor = a[k * layer->a_step] - layer->a_zero;
            const int8_t *others = column + k * layer->b_step;
            s0 += factor * (others[0] - layer->b_zero);
            s1 += factor * (others[step] - layer->b_zero);
            s2 += factor * (others[2 * step] - layer->b_zero);
            s3 += factor * (others[3 * step] - layer->b_zero);
        }
        out[p] = tinyflow_matmul_s8_code(layer, s0);
        out[p + 1] = tinyflow_matmul_s8_code(layer, s1);
        out[p + 2] = tinyflow_matmul_s8_code(layer, s2);
        out[p + 3] = tinyflow_matmul_s8_code(layer, s3);
    }
    for (; p < layer->columns; ++p) {
        int32_t sum = 0;
        for (int32_t k = 0; k < layer->depth; ++k) {
            sum += (a[k * layer->a_step] - layer->a_zero) *
                   (b[p * step + k * layer->b_step] - layer->b_zero);
        }
        out[p] = tinyflow_matmul_s8_code(layer, sum);
    }
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_matmul_s8_rows(const tinyflow_matmul_s8 *layer,
                                             tinyflow_const_rows a, tinyflow_const_rows b,
                                             tinyflow_rows out, int32_t y0, int32_t y1)
{
    for (int32_t y = y0; y < y1; ++y) {
        const int8_t *a_row = layer->a_is_whole ? a.data + y * layer->a_line_step
                                                : tinyflow_const_row(a, y, layer->height);
        const int8_t *b_row = layer->b_is_whole ? b.data : tinyflow_const_row(b, y, layer->height);
        int8_t *out_row = tinyflow_row(out, y, layer->height);
        for (int32_t line = 0; line < layer->lines; ++line) {
            tinyflow_matmul_s8_line(layer, a_row + line * layer->a_line_step, b_row,
                                    out_row + line * layer->columns);
        }
    }
}

#endif
