/*
 * mul_words_s8.h - MUL, four codes at a time.
 *
 * The second operand has the first one's shape, or a code for each channel, pixel or for all.
 * The output may take the place of either operand.
 */
#ifndef TINYFLOW_MUL_WORDS_S8_H
#define TINYFLOW_MUL_WORDS_S8_H

#include "dsp/dsp.h"
#include "dsp/requant_layer.h"

typedef struct {
    int32_t height, runs;   /* runs of codes in a row */
    int32_t length;         /* codes of a run */
    int32_t b_run_step;     /* bytes of b to the next run */
    int32_t b_is_one;       /* a run has one code of b */
    int32_t a_zero, b_zero;
    tinyflow_layer_requant requant;
} tinyflow_mul_words_s8;

/* The first `length` products of a and b; where `b_is_one`, of a and *b. */
TINYFLOW_INLINE void tinyflow_mul_run(const tinyflow_mul_words_s8 *layer, const int8_t *a,
                                      const int8_t *b, int8_t *out)
{
    const tinyflow_layer_requant requant = tinyflow_held_requant(&layer->requant);
    const uint32_t a_start = tinyflow_halves(-layer->a_zero, -layer->a_zero);
    const uint32_t b_start = tinyflow_halves(-layer->b_zero, -layer->b_zero);
    const int32_t one = layer->b_is_one ? *b - layer->b_zero : 0;
    uint32_t b_even = tinyflow_halves(one, one), b_odd = b_even;
    int32_t i = 0;
    for (; i + 4 <= layer->length; i += 4) {
        const uint32_t a_word = tinyflow_load_word(a + i);
        if (!layer->b_is_one) {
            const uint32_t b_word = tinyflow_load_word(b + i);
            b_even = tinyflow_add_even_bytes(b_start, b_word);
            b_odd = tinyflow_add_odd_bytes(b_start, b_word);
        }
        const uint32_t a_even = tinyflow_add_even_bytes(a_start, a_word);
        const uint32_t a_odd = tinyflow_add_odd_bytes(a_start, a_word);
        out[i] = (int8_t)tinyflow_requant_layer(
            tinyflow_lower_half(a_even) * tinyflow_lower_half(b_even), &requant);
        out[i + 1] = (int8_t)tinyflow_requant_layer(
            tinyflow_lower_half(a_odd) * tinyflow_lower_half(b_odd), &requant);
        out[i + 2] = (int8_t)tinyflow_requant_layer(
            tinyflow_upper_half(a_even) * tinyflow_upper_half(b_even), &requant);
        out[i + 3] = (int8_t)tinyflow_requant_layer(
            tinyflow_upper_half(a_odd) * tinyflow_upper_half(b_odd), &requant);
    }
    for (; i < layer->length; ++i) {
        const int32_t factor = layer->b_is_one ? one : b[i] - layer->b_zero;
        out[i] = (int8_t)tinyflow_requant_layer((a[i] - layer->a_zero) * factor, &requant);
    }
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_mul_words_s8_rows(const tinyflow_mul_words_s8 *layer,
                                                tinyflow_const_rows a, tinyflow_const_rows b,
                                                tinyflow_rows out, int32_t y0, int32_t y1)
{
    for (int32_t y = y0; y < y1; ++y) {
        const int8_t *a_run = tinyflow_const_row(a, y, layer->height);
        const int8_t *b_run = tinyflow_const_row(b, y, layer->height);
        int8_t *out_run = tinyflow_row(out, y, layer->height);
        for (int32_t run = 0; run < layer->runs; ++run) {
            tinyflow_mul_run(layer, a_run, b_run, out_run);
            a_run += layer->length;
            b_run += layer->b_run_step;
            out_run += layer->length;
        }
    }
}

#endif
