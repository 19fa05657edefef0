/*
 * add_s8.h - ADD and SUB, with broadcasting.
 *
 * Both operands are brought to one scale, `left_shift` bits up, added, and brought to the
 * output's scale. A step of 0 repeats an operand along that axis; to repeat it over the rows its
 * ring is 1. The output may take the place of either operand.
 */
#ifndef TINYFLOW_ADD_S8_H
#define TINYFLOW_ADD_S8_H

#include "requantize.h"

typedef struct {
    int32_t height, width, channels;
    int32_t a_pixel_step, a_channel_step; /* bytes to the next pixel and channel */
    int32_t b_pixel_step, b_channel_step;
    int32_t a_zero, b_zero, out_zero;
    int32_t a_multiplier, a_shift;
    int32_t b_multiplier, b_shift;
    int32_t out_multiplier, out_shift;
    int32_t left_shift;
    int32_t subtract; /* 1: a - b */
    int32_t lo, hi;
} tinyflow_add_s8;

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_add_s8_rows(const tinyflow_add_s8 *layer, tinyflow_const_rows a,
                                          tinyflow_const_rows b, tinyflow_rows out, int32_t y0,
                                          int32_t y1)
{
    const int32_t one = INT32_C(1) << layer->left_shift;
    for (int32_t y = y0; y < y1; ++y) {
        const int8_t *a_row = tinyflow_const_row(a, y, layer->height);
        const int8_t *b_row = tinyflow_const_row(b, y, layer->height);
        int8_t *out_row = tinyflow_row(out, y, layer->height);
        for (int32_t x = 0; x < layer->width; ++x) {
            const int8_t *a_pixel = a_row + x * layer->a_pixel_step;
            const int8_t *b_pixel = b_row + x * layer->b_pixel_step;
            int8_t *pixel = out_row + x * layer->channels;
            for (int32_t c = 0; c < layer->channels; ++c) {
                const int32_t a_value = a_pixel[c * layer->a_channel_step] - layer->a_zero;
                const int32_t b_value = b_pixel[c * layer->b_channel_step] - layer->b_zero;
                const int32_t a_scaled =
                    tinyflow_requantize(a_value * one, layer->a_multiplier, layer->a_shift);
                const int32_t b_scaled =
                    tinyflow_requantize(b_value * one, layer->b_multiplier, layer->b_shift);
                const int32_t sum = layer->subtract ? a_scaled - b_scaled : a_scaled + b_scaled;
                const int32_t value =
                    tinyflow_requantize(sum, layer->out_multiplier, layer->out_shift);
                pixel[c] = tinyflow_output(value, layer->out_zero, layer->lo, layer->hi);
            }
        }
    }
}

#endif
