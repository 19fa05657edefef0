/*
 * prelu_s8.h - PRELU: a slope of its own for what lies below zero, with broadcasting.
 *
 *   x >= 0:  out = requantize(x - x_zero, above) + out_zero
 *   x <  0:  out = requantize((x - x_zero) * (slope - slope_zero), below) + out_zero
 *
 * a is the operand, b the slopes. A step of 0 repeats an operand along that axis; to repeat it over
 * the rows its ring is 1. The output may take the place of the operand.
 */
#ifndef TINYFLOW_PRELU_S8_H
#define TINYFLOW_PRELU_S8_H

#include "requantize.h"

typedef struct {
    int32_t height, width, channels;
    int32_t a_pixel_step, a_channel_step; /* bytes to the next pixel and channel */
    int32_t b_pixel_step, b_channel_step;
    int32_t a_zero, b_zero, out_zero;
    int32_t above_multiplier, above_shift;
    int32_t below_multiplier, below_shift;
} tinyflow_prelu_s8;

TINYFLOW_INLINE int8_t tinyflow_prelu_s8_code(const tinyflow_prelu_s8 *layer, int32_t value,
                                              int32_t slope)
{
    const int32_t code =
        value >= 0
            ? tinyflow_requantize(value, layer->above_multiplier, layer->above_shift)
            : tinyflow_requantize(value * slope, layer->below_multiplier, layer->below_shift);
    return tinyflow_output(code, layer->out_zero, INT8_MIN, INT8_MAX);
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_prelu_s8_rows(const tinyflow_prelu_s8 *layer, tinyflow_const_rows a,
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
                pixel[c] = tinyflow_prelu_s8_code(layer,
                                                  a_pixel[c * layer->a_channel_step] - layer->a_zero,
                                                  b_pixel[c * layer->b_channel_step] - layer->b_zero);
            }
        }
    }
}

#endif
