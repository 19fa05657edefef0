/*
 * matmul_dsp_s8.h - MATMUL: both operands in 16 bits, two products an instruction.
 *
 * The scratch holds, less the zero points, each column of b and two lines of a. Every one of
 * these vectors has `padded` values: the sums' factors, then zeros. Two lines by two columns are
 * summed at once, so that a loaded word serves twice. In place of a line or column after the last
 * one, the last is computed again.
 */
#ifndef TINYFLOW_MATMUL_DSP_S8_H
#define TINYFLOW_MATMUL_DSP_S8_H

#include "dsp/dsp.h"
#include "dsp/requant_layer.h"

typedef struct {
    int32_t height;                /* rows of the result */
    int32_t lines, depth, columns; /* of a row of the result, with sums of `depth` products */
    int32_t a_is_whole;            /* a line of the result needs all rows of a */
    int32_t b_is_whole;
    int32_t a_line_step, a_step;   /* bytes to the next line, and to the next factor of a sum */
    int32_t b_column_step, b_step; /* bytes to the next column, and to the next factor */
    int32_t a_zero, b_zero;
    int32_t padded;                /* `depth`, rounded up to a multiple of 4 */
    tinyflow_layer_requant requant;
} tinyflow_matmul_dsp_s8;

/* A line or a column, less its zero point, with zeros behind. */
TINYFLOW_INLINE void tinyflow_matmul_widen(const int8_t *codes, int32_t step, int32_t zero,
                                           int32_t depth, int32_t padded, int16_t *values)
{
    int32_t k = 0;
    if (step == 1) {
        const uint32_t start = tinyflow_halves(-zero, -zero);
        for (; k + 4 <= depth; k += 4) {
            const uint32_t word = tinyflow_load_word(codes + k);
            const uint32_t even = tinyflow_add_even_bytes(start, word);
            const uint32_t odd = tinyflow_add_odd_bytes(start, word);
            tinyflow_store_pair(values + k, tinyflow_halves(tinyflow_lower_half(even),
                                                            tinyflow_lower_half(odd)));
            tinyflow_store_pair(values + k + 2, tinyflow_halves(tinyflow_upper_half(even),
                                                                tinyflow_upper_half(odd)));
        }
    }
    for (; k < depth; ++k) {
        values[k] = (int16_t)(codes[k * step] - zero);
    }
    for (; k < padded; ++k) {
        values[k] = 0;
    }
}

/* All columns of b. */
TINYFLOW_INLINE void tinyflow_matmul_widen_b(const tinyflow_matmul_dsp_s8 *layer, const int8_t *b,
                                             int16_t *values)
{
    for (int32_t p = 0; p < layer->columns; ++p) {
        tinyflow_matmul_widen(b + p * layer->b_column_step, layer->b_step, layer->b_zero,
                              layer->depth, layer->padded, values + p * layer->padded);
    }
}

/* Two lines by all columns. */
TINYFLOW_INLINE void tinyflow_matmul_lines(const tinyflow_matmul_dsp_s8 *layer,
                                           const tinyflow_layer_requant *requant, const int16_t *a,
                                           const int16_t *b, int8_t *out, int8_t *next_out)
{
    const int32_t padded = layer->padded;
    for (int32_t p = 0; p < layer->columns; p += 2) {
        const int32_t q = p + 1 < layer->columns ? p + 1 : p;
        const int16_t *b_0 = b + p * padded;
        const int16_t *b_1 = b + q * padded;
        int32_t s_00 = 0, s_01 = 0, s_10 = 0, s_11 = 0;
        for (int32_t k = 0; k < padded; k += 4) {
            for (int32_t half = 0; half < 4; half += 2) {
                const uint32_t a_0 = tinyflow_load_pair(a + k + half);
                const uint32_t a_1 = tinyflow_load_pair(a + padded + k + half);
                const uint32_t c_0 = tinyflow_load_pair(b_0 + k + half);
                const uint32_t c_1 = tinyflow_load_pair(b_1 + k + half);
                s_00 = tinyflow_two_products(a_0, c_0, s_00);
                s_01 = tinyflow_two_products(a_0, c_1, s_01);
                s_10 = tinyflow_two_products(a_1, c_0, s_10);
                s_11 = tinyflow_two_products(a_1, c_1, s_11);
            }
        }
        out[p] = (int8_t)tinyflow_requant_layer(s_00, requant);
        out[q] = (int8_t)tinyflow_requant_layer(s_01, requant);
        next_out[p] = (int8_t)tinyflow_requant_layer(s_10, requant);
        next_out[q] = (int8_t)tinyflow_requant_layer(s_11, requant);
    }
}

/* Lines a_0 and a_1 of one product to out_0 and out_1; `b` as widened. */
TINYFLOW_INLINE void tinyflow_matmul_two(const tinyflow_matmul_dsp_s8 *layer, const int8_t *a_0,
                                         const int8_t *a_1, const int16_t *b, int16_t *values,
                                         int8_t *out_0, int8_t *out_1)
{
    const tinyflow_layer_requant requant = tinyflow_held_requant(&layer->requant);
    tinyflow_matmul_widen(a_0, layer->a_step, layer->a_zero, layer->depth, layer->padded, values);
    tinyflow_matmul_widen(a_1, layer->a_step, layer->a_zero, layer->depth, layer->padded,
                          values + layer->padded);
    tinyflow_matmul_lines(layer, &requant, values, b, out_0, out_1);
}

/* Line y of a, where a row of the result is one line. */
TINYFLOW_INLINE const int8_t *tinyflow_matmul_line(const tinyflow_matmul_dsp_s8 *layer,
                                                   tinyflow_const_rows a, int32_t y)
{
    return layer->a_is_whole ? a.data + y * layer->a_line_step
                             : tinyflow_const_row(a, y, layer->height);
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_matmul_dsp_s8_rows(const tinyflow_matmul_dsp_s8 *layer,
                                                 tinyflow_const_rows a, tinyflow_const_rows b,
                                                 tinyflow_rows out, void *scratch, int32_t y0,
                                                 int32_t y1)
{
    int16_t *columns = (int16_t *)scratch;
    int16_t *values = columns + layer->columns * layer->padded;
    if (layer->b_is_whole) {
        tinyflow_matmul_widen_b(layer, b.data, columns);
        for (int32_t y = y0; y < y1; y += 2) {
            const int32_t next = y + 1 < y1 ? y + 1 : y;
            tinyflow_matmul_two(layer, tinyflow_matmul_line(layer, a, y),
                                tinyflow_matmul_line(layer, a, next), columns, values,
                                tinyflow_row(out, y, layer->height),
                                tinyflow_row(out, next, layer->height));
        }
        return;
    }
    for (int32_t y = y0; y < y1; ++y) {
        const int8_t *a_row = tinyflow_const_row(a, y, layer->height);
        int8_t *out_row = tinyflow_row(out, y, layer->height);
        tinyflow_matmul_widen_b(layer, tinyflow_const_row(b, y, layer->height), columns);
        for (int32_t m = 0; m < layer->lines; m += 2) {
            const int32_t next = m + 1 < layer->lines ? m + 1 : m;
            tinyflow_matmul_two(layer, a_row + m * layer->a_line_step,
                                a_row + next * layer->a_line_step, columns, values,
                                out_row + m * layer->columns, out_row + next * layer->columns);
        }
    }
}

#endif
