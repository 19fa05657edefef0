/*
 * resize_nearest_s8.h - RESIZE_NEAREST: each output pixel is one source pixel.
 */
#ifndef TINYFLOW_RESIZE_NEAREST_S8_H
#define TINYFLOW_RESIZE_NEAREST_S8_H

#include <string.h>

#include "tinyflow.h"

typedef struct {
    int32_t in_h, in_w, channels;
    int32_t out_h, out_w;
    const int16_t *source_y; /* [out_h] */
    const int16_t *source_x; /* [out_w] */
} tinyflow_resize_nearest_s8;

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_resize_nearest_s8_rows(const tinyflow_resize_nearest_s8 *layer,
                                                     tinyflow_const_rows in, tinyflow_rows out,
                                                     int32_t y0, int32_t y1)
{
    for (int32_t y = y0; y < y1; ++y) {
        const int8_t *restrict in_row = tinyflow_const_row(in, layer->source_y[y], layer->in_h);
        int8_t *restrict out_row = tinyflow_row(out, y, layer->out_h);
        for (int32_t x = 0; x < layer->out_w; ++x) {
            memcpy(out_row + x * layer->channels, in_row + layer->source_x[x] * layer->channels,
                   (size_t)layer->channels);
        }
    }
}

#endif
