/*
 * matmul_dsp_s8.h - MATMUL: both operands in 16 bits, two products an instruction.
 *
 * The scratch holds, less the zero points, all columns of b and two lines of a, as pairs of
 * vectors: two values of one, two of the other, in turn. Two lines by two columns are summed at
 * once, so that a loaded word serves twice. In place of a line or a column after the last one, the
 * last is computed again.
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
    int32_t padded;                /* `depth`, rounded up to an even number */
    tinyflow_layer_requant requant;
} tinyflow_matmul_dsp_s8;

/* Where the two values of a vector from k on stand; k is even. */
TINYFLOW_INLINE int16_t *tinyflow_matmul_place(int16_t *vector, int32_t k)
{
    return vector + 2 * k;
}

/* A line or a column, less its zero point, with a zero behind where `depth` is odd. */
TINYFLOW_INLINE void tinyflow_matmul_widen(const int8_t *codes, int32_t step, int32_t zero,
                                           int32_t depth, int16_t *vector)
{
    int32_t k = 0;
    if (step == 1) {
        const uint32_t start = tinyflow_halves(-zero, -zero);
        for (; k + 4 <= depth; k += 4) {
            const uint32_t word = tinyflow_load_word(codes + k);
            const uint32_t even = tinyflow_add_even_bytes(start, word);
            const uint32_t odd = tinyflow_add_odd_bytes(start, word);
            tinyflow_store_pair(
                tinyflow_matmul_place(vector, k),
                tinyflow_halves(tinyflow_lower_half(even), tinyflow_lower_half(odd)));
            tinyflow_store_pair(
                tinyflow_matmul_place(vector, k + 2),
                tinyflow_halves(tinyflow_upper_half(even), tinyflow_upper_half(odd)));
        }
    }
    for (; k + 2 <= depth; k += 2) {
        tinyflow_store_pair(
            tinyflow_matmul_place(vector, k),
            tinyflow_halves(codes[k * step] - zero, codes[(k + 1) * step] - zero));
    }
    if (k < depth) {
        tinyflow_store_pair(tinyflow_matmul_place(vector, k),
                            tinyflow_halves(codes[k * step] - zero, 0));
    }
}

/* All columns of b. */
TINYFLOW_INLINE void tinyflow_matmul_widen_b(const tinyflow_matmul_dsp_s8 *layer, const int8_t *b,
                                             int16_t *pairs)
{
    for (int32_t p = 0; p < layer->columns; p += 2) {
        const int32_t q = p + 1 < layer->columns ? p + 1 : p;
        tinyflow_matmul_widen(b + p * layer->b_column_step, layer->b_step, layer->b_zero,
                              layer->depth, pairs + p * layer->padded);
        tinyflow_matmul_widen(b + q * layer->b_column_step, layer->b_step, layer->b_zero,
                              layer->depth, pairs + p * layer->padded + 2);
    }
}

/* Of each of two lines with each of two columns. */
typedef struct {
    int32_t of_00, of_01, of_10, of_11;
} tinyflow_matmul_sums;

/* Two factors more of two lines and of two columns. */
TINYFLOW_INLINE void tinyflow_matmul_add(tinyflow_matmul_sums *sums, const int16_t *a,
                                         const int16_t *b)
{
    const uint32_t a_0 = tinyflow_load_pair(a), a_1 = tinyflow_load_pair(a + 2);
    const uint32_t b_0 = tinyflow_load_pair(b), b_1 = tinyflow_load_pair(b + 2);
    tinyflow_keep_loads_behind();
    sums->of_00 = tinyflow_two_products(a_0, b_0, sums->of_00);
    sums->of_01 = tinyflow_two_products(a_0, b_1, sums->of_01);
    sums->of_10 = tinyflow_two_products(a_1, b_0, sums->of_10);
    sums->of_11 = tinyflow_two_products(a_1, b_1, sums->of_11);
}

/* Two lines by all columns. */
TINYFLOW_INLINE void tinyflow_matmul_lines(const tinyflow_matmul_dsp_s8 *layer,
                                           const tinyflow_layer_requant *requant,
                                           const int16_t *lines, const int16_t *b, int8_t *out,
                                           int8_t *next_out)
{
    for (int32_t p = 0; p < layer->columns; p += 2) {
        const int32_t q = p + 1 < layer->columns ? p + 1 : p;
        tinyflow_matmul_sums sums = {0, 0, 0, 0};
        const int16_t *a = lines;
        int32_t k = layer->padded;
        for (; k >= 8; k -= 8) {
            tinyflow_matmul_add(&sums, a, b);
            tinyflow_matmul_add(&sums, a + 4, b + 4);
            tinyflow_matmul_add(&sums, a + 8, b + 8);
            tinyflow_matmul_add(&sums, a + 12, b + 12);
            a += 16;
            b += 16;
        }
        for (; k > 0; k -= 2) {
            tinyflow_matmul_add(&sums, a, b);
            a += 4;
            b += 4;
        }
        out[p] = (int8_t)tinyflow_requant_layer(sums.of_00, requant);
        out[q] = (int8_t)tinyflow_requant_layer(sums.of_01, requant);
        next_out[p] = (int8_t)tinyflow_requant_layer(sums.of_10, requant);
        next_out[q] = (int8_t)tinyflow_requant_layer(sums.of_11, requant);
    }
}

/* Lines a_0 and a_1 of one product to out_0 and out_1; `b` as widened. */
TINYFLOW_INLINE void tinyflow_matmul_two(const tinyflow_matmul_dsp_s8 *layer, const int8_t *a_0,
                                         const int8_t *a_1, const int16_t *b, int16_t *values,
                                         int8_t *out_0, int8_t *out_1)
{
    const tinyflow_layer_requant requant = tinyflow_held_requant(&layer->requant);
    tinyflow_matmul_widen(a_0, layer->a_step, layer->a_zero, layer->depth, values);
    tinyflow_matmul_widen(a_1, layer->a_step, layer->a_zero, layer->depth, values + 2);
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
    int16_t *values = columns + (layer->columns + 1) / 2 * 2 * layer->padded;
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
