/*
 * argmax_s8.h - ARGMAX over the channels of a pixel; of equal ones the first.
 *
 * Indices are bytes where `wide` is 0, else int16.
 */
#ifndef TINYFLOW_ARGMAX_S8_H
#define TINYFLOW_ARGMAX_S8_H

#include "tinyflow.h"

typedef struct {
    int32_t height, width, channels;
    int32_t wide;
} tinyflow_argmax_s8;

TINYFLOW_INLINE int32_t tinyflow_argmax_s8_pixel(const int8_t *in, int32_t channels)
{
    int32_t best = 0;
    for (int32_t c = 1; c < channels; ++c) {
        if (in[c] > in[best]) {
            best = c;
        }
    }
    return best;
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_argmax_s8_rows(const tinyflow_argmax_s8 *layer,
                                             tinyflow_const_rows in, tinyflow_rows out, int32_t y0,
                                             int32_t y1)
{
    for (int32_t y = y0; y < y1; ++y) {
        const int8_t *in_row = tinyflow_const_row(in, y, layer->height);
        int8_t *out_row = tinyflow_row(out, y, layer->height);
        for (int32_t x = 0; x < layer->width; ++x) {
            const int32_t best =
                tinyflow_argmax_s8_pixel(in_row + x * layer->channels, layer->channels);
            if (layer->wide) {
                ((int16_t *)(void *)out_row)[x] = (int16_t)best;
            } else {
                out_row[x] = (int8_t)(uint8_t)best;
            }
        }
    }
}

#endif
