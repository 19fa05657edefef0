/*
 * slice_s8.h - SLICE: a strided box of the input.
 */
#ifndef TINYFLOW_SLICE_S8_H
#define TINYFLOW_SLICE_S8_H

#include <string.h>

#include "tinyflow.h"

typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t begin_y, begin_x, begin_c;
    int32_t stride_y, stride_x, stride_c;
} tinyflow_slice_s8;

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_slice_s8_rows(const tinyflow_slice_s8 *layer, tinyflow_const_rows in,
                                            tinyflow_rows out, int32_t y0, int32_t y1)
{
    for (int32_t y = y0; y < y1; ++y) {
        const int8_t *restrict in_row =
            tinyflow_const_row(in, layer->begin_y + y * layer->stride_y, layer->in_h) +
            layer->begin_x * layer->in_c + layer->begin_c;
        int8_t *restrict out_row = tinyflow_row(out, y, layer->out_h);
        if (layer->stride_x == 1 && layer->stride_c == 1 && layer->in_c == layer->out_c) {
            memcpy(out_row, in_row, (size_t)(layer->out_w * layer->out_c));
            continue;
        }
        for (int32_t x = 0; x < layer->out_w; ++x) {
            const int8_t *in_pixel = in_row + x * layer->stride_x * layer->in_c;
            for (int32_t c = 0; c < layer->out_c; ++c) {
                out_row[x * layer->out_c + c] = in_pixel[c * layer->stride_c];
            }
        }
    }
}

#endif
