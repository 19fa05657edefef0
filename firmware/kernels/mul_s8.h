/*
 * mul_s8.h - MUL, with broadcasting.
 *
 * A step of 0 repeats an operand along that axis; to repeat it over the rows its ring is 1. The
 * output may take the place of either operand.
 */
#ifndef TINYFLOW_MUL_S8_H
#define TINYFLOW_MUL_S8_H

#include "requantize.h"

typedef struct {
    int32_t height, width, channels;
    int32_t a_pixel_step, a_channel_step; /* bytes to the next pixel and channel */
    int32_t b_pixel_step, b_channel_step;
    int32_t a_zero, b_zero, out_zero;
    int32_t out_multiplier, out_shift;
    int32_t lo, hi;
} tinyflow_mul_s8;

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_mul_s8_rows(const tinyflow_mul_s8 *layer, tinyflow_const_rows a,
                                          tinyflow_const_rows b, tinyflow_rows out, int32_t y0,
                                          int32_t y1)
{
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
                const int32_t value = tinyflow_requantize(a_value * b_value, layer->out_multiplier,
                                                          layer->out_shift);
                pixel[c] = tinyflow_output(value, layer->out_zero, layer->lo, layer->hi);
            }
        }
    }
}

#endif
