/*
 * extremum_s8.h - MAXIMUM and MINIMUM, with broadcasting.
 *
 * Operands and output have the same scale and zero point, so codes compare as their reals do. A
 * step of 0 repeats an operand along that axis; to repeat it over the rows its ring is 1. The
 * output may take the place of either operand.
 */
#ifndef TINYFLOW_EXTREMUM_S8_H
#define TINYFLOW_EXTREMUM_S8_H

#include "tinyflow.h"

typedef struct {
    int32_t height, width, channels;
    int32_t a_pixel_step, a_channel_step; /* bytes to the next pixel and channel */
    int32_t b_pixel_step, b_channel_step;
    int32_t least; /* 1 for the lesser of two codes, 0 for the greater */
} tinyflow_extremum_s8;

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_extremum_s8_rows(const tinyflow_extremum_s8 *layer,
                                               tinyflow_const_rows a, tinyflow_const_rows b,
                                               tinyflow_rows out, int32_t y0, int32_t y1)
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
                const int8_t a_code = a_pixel[c * layer->a_channel_step];
                const int8_t b_code = b_pixel[c * layer->b_channel_step];
                pixel[c] = (a_code < b_code) == (layer->least != 0) ? a_code : b_code;
            }
        }
    }
}

#endif
